/** For how long and at what price a model is served: what was agreed to before it was deployed. */
export interface LeaseTerms {
  /** Of this lease alone. What is made for it carries it, and is found by it again. */
  readonly key: string
  /** `evaluation`: torn down when its evaluation ends, however that ends. `serving`: stays until it is over. */
  readonly purpose: "evaluation" | "serving"
  /** The service's own name of the machine. */
  readonly hardware: string
  readonly usdPerHour: number
  /** The day for which the price is known, and who says it. */
  readonly asOf: string
  readonly source: string
  /** UTC. */
  readonly until: string
}

/** What a service made for a lease. */
export interface LeasedDeployment {
  readonly backend: string
  readonly id: string
  /** The name under which the model is asked. */
  readonly model: string
}

/** What happens to a lease, among the events of the run whose model it is for. */
export type LeaseEventBody =
  /** The intent, durable before the service hears of it. */
  | { readonly type: "deploying"; readonly lease: LeaseTerms }
  | { readonly type: "deployed"; readonly lease: string; readonly deployment: LeasedDeployment }
  /** Durable before the service is told to end it. */
  | { readonly type: "undeploying"; readonly lease: string }
  /** Nothing of it is there any more; `usd` is what it cost by its price. */
  | {
      readonly type: "undeployed"
      readonly lease: string
      readonly endedAt: string
      readonly usd: number
      readonly reason?: string
    }
