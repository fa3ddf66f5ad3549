/** Who asks for an item and holds it: `page` is the tab's own mark, made anew for each tab; `client` its address. */
export interface Holder {
  readonly page: string
  readonly reviewer: string
  readonly client: string
}

/** A page that was not heard of for so long has left its item to others. */
const leaseMs = 30 * 60 * 1000
/** So many pages of one reviewer, and of one client whatever its names, hold an item at a time. */
const mostPages = 20

/** Which page has which item, each item one page's alone. Who opens page after page keeps those of the newest. */
export class ReviewLeases {
  readonly #nowMs: () => number
  /** The oldest first. */
  readonly #leases = new Map<string, Holder & { readonly at: number }>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  take(claim: string, { page, reviewer, client }: Holder): void {
    this.#leases.delete(claim)
    this.#leases.set(claim, { page, reviewer, client, at: this.#nowMs() })
    for (const isSame of [(lease: Holder) => lease.reviewer === reviewer, (lease: Holder) => lease.client === client]) {
      const own = [...this.#leases].filter(([, lease]) => isSame(lease))
      for (const [old] of own.slice(0, -mostPages)) this.#leases.delete(old)
    }
  }

  /** The page holds no item any more. */
  leave(page: string): void {
    for (const [claim, lease] of this.#leases) if (lease.page === page) this.#leases.delete(claim)
  }

  /** The page that has it; undefined for none. */
  pageOf(claim: string): string | undefined {
    const lease = this.#leases.get(claim)
    return lease !== undefined && this.#nowMs() - lease.at < leaseMs ? lease.page : undefined
  }
}
