import type { Estimate, ServingPrice } from "../../core/contracts/backend.ts"
import type { ServingOffer } from "../../core/contracts/deployment.ts"

type Figure = Estimate["figures"][number]

/** What serving costs while nobody asks, by the price file; none where nobody wrote it down. */
export function servingFigure(service: string, prices: readonly ServingPrice[] = []): Figure[] {
  const price = prices.find((candidate) => candidate.service === service)
  return price === undefined ? [] : [figureOf(price, "rule of thumb")]
}

/** The same by the service's own offers, the cheapest first: the first that can be had. */
export function offeredFigure(offers: readonly ServingOffer[]): Figure[] {
  const offer = offers.find(({ isAvailable }) => isAvailable) ?? offers[0]
  return offer === undefined ? [] : [figureOf(offer, "provider")]
}

function figureOf(
  { usdPerHour, hardware, asOf, source }: Pick<ServingPrice, "usdPerHour" | "hardware" | "asOf" | "source">,
  by: Figure["source"],
): Figure {
  const where = hardware === undefined ? "" : `${hardware}, `
  return {
    name: "serving while idle",
    value: usdPerHour,
    unit: "USD an hour",
    source: by,
    detail: `${where}as of ${asOf}: ${source}`,
  }
}
