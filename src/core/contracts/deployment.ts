import type { LeasedDeployment } from "../training/lease.ts"
import type { ModelRef } from "../training/model-ref.ts"

/** What serving a model costs on a machine of the service, whether it is asked or not. */
export interface ServingOffer {
  /** The service's own name of the machine. */
  readonly hardware: string
  /** The service's own name of the way to serve there; undefined where it has but one. */
  readonly config?: string | undefined
  readonly usdPerHour: number
  /** The day for which the price is known, and who says it. */
  readonly asOf: string
  readonly source: string
  /** Whether the machine can be had now. */
  readonly isAvailable: boolean
}

/** What a deployment is asked for by. */
export interface DeploymentOrder {
  /** Of its lease alone: what is made carries it. */
  readonly key: string
  readonly hardware: string
  readonly config?: string | undefined
  readonly minutes: number
}

/** How a deployment is: `ready` ones answer; `stopped` ones bill nothing, and `gone` ones are not there any more. */
export type DeploymentState = "starting" | "ready" | "stopping" | "stopped" | "failed" | "gone"

/** A deployment at a service, whoever made it. */
export interface StandingDeployment extends LeasedDeployment {
  readonly state: DeploymentState
  /** The service's own word. */
  readonly providerStatus: string
  /** The key of its lease; undefined for one that was not made by Tuneloop. */
  readonly key: string | undefined
  readonly hardware: string | undefined
}

/** Models that a service serves only while they are deployed, for money by the hour. */
export interface Deployer {
  /**
   * What serving a model of the base costs, the cheapest first; empty where the service serves none. With the model
   * what serving that very one costs.
   */
  offers(baseModel: string, model?: ModelRef): Promise<readonly ServingOffer[]>
  /**
   * Deploys the model, once for each call. Throws a JobMayExistError where it is not known whether anything was made;
   * any other known failure says that nothing was.
   */
  deploy(model: ModelRef, order: DeploymentOrder): Promise<LeasedDeployment>
  /**
   * What a deploy under the key made; undefined where it is certain that nothing was. Never deploys. Throws where it
   * cannot know, as while a list may lag behind.
   */
  findDeployment(key: string, askedAt: string): Promise<LeasedDeployment | undefined>
  /** Returns at once. */
  deploymentState(deployment: LeasedDeployment): Promise<DeploymentState>
  /**
   * One step of the tearing down; returns at once, and says how it is then. Nothing of what is `gone` bills, or is
   * left. What is `stopping` bills until it has stopped, and takes another call.
   */
  undeploy(deployment: LeasedDeployment): Promise<DeploymentState>
  /** Everything that is deployed there, whoever did it. */
  deployments(): Promise<readonly StandingDeployment[]>
}
