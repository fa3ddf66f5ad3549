import { byId, h } from "./dom.js"

/**
 * How far the review is: in words, and as a line.
 * @param {import("../review-wire.ts").Progress} progress
 */
export function showProgress({ decided, waiting, skipped, elsewhere }) {
  const others = [
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(elsewhere > 0 ? [`${elsewhere} open elsewhere`] : []),
  ]
  byId("progress").textContent = [
    `${decided.toLocaleString("en")} decided`,
    `${waiting.toLocaleString("en")} to go`,
    ...others,
  ].join(" · ")
  const share = decided + waiting === 0 ? 100 : Math.floor((100 * decided) / (decided + waiting))
  const meter = byId("meter")
  meter.setAttribute("aria-valuenow", String(share))
  const line = /** @type {HTMLElement} */ (meter.firstElementChild)
  line.style.width = `${share}%`
}

/**
 * Something to know before going on, at the top; undefined takes it away.
 * @param {string | undefined} message
 */
export function tell(message) {
  const place = byId("notice")
  place.hidden = message === undefined
  place.replaceChildren(...(message === undefined ? [] : [h("p", {}, message)]))
}

/**
 * @param {string} reviewer
 * @param {boolean} isFixed whether the command line says who reviews
 */
export function showName(reviewer, isFixed) {
  const place = byId("who")
  place.hidden = false
  place.textContent = reviewer
  place.setAttribute("aria-label", isFixed ? `${reviewer} reviews` : `${reviewer} reviews; change the name`)
  place.toggleAttribute("disabled", isFixed)
}
