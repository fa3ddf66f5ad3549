import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { CredentialError, exitCodes, ToolkitError } from "../../core/errors.ts"
import type { StageContext } from "../../stages/context.ts"
import { canDeploy } from "../../stages/deploying/deployers.ts"
import { type OwnedThing, type Place, placesOf, storedThings } from "../../stages/training/stored.ts"
import type { Host } from "../host.ts"
import { fittedTable } from "../terminal.ts"
import { setExitCode } from "../machine.ts"

/** Prints what lies at each place of the backend. A place that cannot be asked is named, and the others are listed. */
export async function listStored(host: Host, name: string): Promise<void> {
  const context = host.context()
  const things: ListedThing[] = []
  const places = await placesOf(context, name, host.withDefaults)
  let unseen = 0
  for (const { choice, runs } of places) {
    const backend = await host.backend(choice)
    try {
      things.push(...(await storedThings(context, backend, runs)), ...(await standing(context, backend)))
    } catch (error) {
      if (!(error instanceof ToolkitError) || places.length === 1) throw error
      // What is wrong with the question is wrong for all places; a key is that of one.
      if (error.exitCode === exitCodes.usage && !(error instanceof CredentialError)) throw error
      const { message, hint } = error
      host.terminal.warn(`${describePlace({ choice })} could not be listed: ${message}${hint ? `\n  ${hint}` : ""}`)
      setExitCode(exitCodes.failure)
      unseen += 1
    }
  }
  host.print(
    { backend: name, things },
    things.length === 0
      ? unseen === 0
        ? `nothing lies at ${name}`
        : `nothing was found at ${name}; ${unseen} of its ${places.length} places could not be listed`
      : fittedTable(
          ["what", "id", "name", "bytes", "made", "status", "run"],
          things.map(({ kind, id, name: called, bytes, createdAt, status, run }) => [
            ...[kind, id, called ?? "–", bytes?.toString() ?? "–", createdAt?.slice(0, 10) ?? "–"],
            ...[status ?? "–", run ?? "–"],
          ]),
          { width: host.terminal.outputWidth, headings: 2 },
        ),
  )
}

type ListedThing = Omit<OwnedThing, "kind"> & { readonly kind: OwnedThing["kind"] | "deployment" }

/** What is deployed there, whoever did it, with the runs whose leases it is for. */
async function standing(context: StageContext, backend: FineTuneBackend): Promise<ListedThing[]> {
  if (!canDeploy(backend)) return []
  const runOf = new Map((await context.readLedger().runs.leases()).map(({ key, run }) => [key, run]))
  return (await backend.deployments()).map(({ id, model, providerStatus, key }) => ({
    ...{ kind: "deployment" as const, id, name: model, status: providerStatus },
    run: runOf.get(key ?? "") ?? null,
  }))
}

/** A place as people know it: by its backend and what its options say of where it is. */
export function describePlace({ choice: { name, options } }: Pick<Place, "choice">): string {
  const where = ["baseUrl", "profile", "host"].map((key) => options[key]).find((value) => typeof value === "string")
  return where === undefined ? name : `${name} (${where})`
}
