const dayMs = 24 * 60 * 60 * 1000

/** Until when a backend takes jobs, by the date that it names. */
export function describeSunset(backend: string, sunset: string, today: Date): { text: string; isOver: boolean } {
  const days = Math.ceil((Date.parse(sunset) - today.getTime()) / dayMs)
  if (days < 0) return { text: `${backend} has taken no more jobs since ${sunset}`, isOver: true }
  return { text: `${backend} takes jobs until ${sunset}: ${days === 1 ? "1 day" : `${days} days`} left`, isOver: false }
}
