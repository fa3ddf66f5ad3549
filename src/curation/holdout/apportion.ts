/**
 * A party to an apportionment: its claim, the fewest and the most seats it may get, and what decides between equal
 * claims.
 */
export interface Claim {
  readonly name: string
  readonly size: number
  readonly least: number
  readonly most: number
  readonly tieBreak: string
}

/**
 * The seats of each claim by largest remainder (Hamilton), proportional to size within its bounds. The seats given are
 * `seats`, unless the bounds ask for more or allow only fewer. The order of the claims does not matter; `least` wins
 * over `most`.
 */
export function apportion(claims: readonly Claim[], seats: number): Map<string, number> {
  const total = claims.reduce((sum, { size }) => sum + size, 0)
  const quota = (claim: Claim) => (total === 0 ? 0 : (seats * claim.size) / total)
  const given = new Map(claims.map((claim) => [claim.name, claim.least]))
  const seatsOf = (claim: Claim) => given.get(claim.name) ?? 0
  for (let left = seats - claims.reduce((sum, { least }) => sum + least, 0); left > 0; left -= 1) {
    let next: Claim | undefined
    let nextDeficit = 0
    for (const claim of claims) {
      if (seatsOf(claim) >= claim.most) continue
      const deficit = quota(claim) - seatsOf(claim)
      if (!next || deficit > nextDeficit || (deficit === nextDeficit && claim.tieBreak < next.tieBreak))
        [next, nextDeficit] = [claim, deficit]
    }
    if (!next) break
    given.set(next.name, seatsOf(next) + 1)
  }
  return given
}
