import { z } from "zod"

/** A call of the GraphQL API, and what it answers. */
export interface Query<Value> {
  readonly text: string
  readonly answer: z.ZodType<Value>
}

const text = z.string().nullish()
const number = z.number().nullish()
const named = z.looseObject({ id: z.string() })
const upload = z.looseObject({ uploadUrl: text, uploadHeaders: z.array(z.string()).nullish() })

function edgesOf<Node extends z.ZodType>(node: Node) {
  return z.array(z.looseObject({ node }))
}

/** What is asked of W&B's GraphQL API: the calls of its own client, with the fields that are used (2026-08-21). */
export const queries = {
  viewer: {
    text: "query Viewer { viewer { entity } }",
    answer: z.looseObject({ viewer: z.looseObject({ entity: text }) }),
  },
  upsertRun: {
    text: `mutation UpsertBucket($entity: String, $project: String, $name: String) {
      upsertBucket(input: {entityName: $entity, modelName: $project, name: $name}) { bucket { id } }
    }`,
    answer: z.looseObject({ upsertBucket: z.looseObject({ bucket: named }) }),
  },
  create: {
    text: `mutation CreateArtifact($input: CreateArtifactInput!) {
      createArtifact(input: $input) { artifact { id state } }
    }`,
    answer: z.looseObject({ createArtifact: z.looseObject({ artifact: named.extend({ state: z.string() }) }) }),
  },
  manifest: {
    text: `mutation CreateArtifactManifest($artifactID: ID!, $name: String!, $digest: String!,
        $entityName: String!, $projectName: String!, $runName: String!) {
      createArtifactManifest(input: {artifactID: $artifactID, name: $name, digest: $digest, entityName: $entityName,
          projectName: $projectName, runName: $runName, type: FULL}) {
        artifactManifest { id file { id uploadUrl uploadHeaders } }
      }
    }`,
    answer: z.looseObject({
      createArtifactManifest: z.looseObject({ artifactManifest: named.extend({ file: upload }) }),
    }),
  },
  files: {
    text: `mutation CreateArtifactFiles($artifactFiles: [CreateArtifactFileSpecInput!]!,
        $storageLayout: ArtifactStorageLayout!) {
      createArtifactFiles(input: {artifactFiles: $artifactFiles, storageLayout: $storageLayout}) {
        files { edges { node { uploadUrl uploadHeaders artifact { id } } } }
      }
    }`,
    answer: z.looseObject({
      createArtifactFiles: z.looseObject({
        files: z.looseObject({ edges: edgesOf(upload.extend({ artifact: named.nullish() })) }),
      }),
    }),
  },
  commit: {
    text: `mutation CommitArtifact($artifactID: ID!) {
      commitArtifact(input: {artifactID: $artifactID}) { artifact { id digest } }
    }`,
    answer: z.looseObject({ commitArtifact: z.looseObject({ artifact: named }) }),
  },
  version: {
    text: "query ArtifactVersion($id: ID!) { artifact(id: $id) { versionIndex } }",
    answer: z.looseObject({ artifact: z.looseObject({ versionIndex: z.int() }) }),
  },
  byName: {
    text: `query ArtifactByName($entity: String!, $project: String!, $name: String!) {
      project(name: $project, entityName: $entity) {
        artifact(name: $name) { id digest size currentManifest { file { directUrl } } }
      }
    }`,
    answer: z.looseObject({
      project: z
        .looseObject({
          artifact: named
            .extend({
              digest: z.string(),
              size: number,
              currentManifest: z.looseObject({ file: z.looseObject({ directUrl: z.string() }) }),
            })
            .nullish(),
        })
        .nullish(),
    }),
  },
  addresses: {
    text: `query ArtifactFileURLsByManifestEntries($id: ID!, $entries: [ArtifactManifestEntryInput!],
        $storageLayout: String!, $manifestVersion: String!) {
      artifact(id: $id) {
        filesByManifestEntries(storageLayout: $storageLayout, manifestVersion: $manifestVersion, entries: $entries) {
          edges { node { name directUrl } }
        }
      }
    }`,
    answer: z.looseObject({
      artifact: z.looseObject({
        filesByManifestEntries: z.looseObject({ edges: edgesOf(z.looseObject({ directUrl: z.string() })) }),
      }),
    }),
  },
  list: {
    text: `query Artifacts($entity: String!, $project: String!, $type: String!, $cursor: String) {
      project(entityName: $entity, name: $project) {
        artifactType(name: $type) {
          artifactCollections(after: $cursor, first: 50) {
            pageInfo { hasNextPage endCursor }
            edges { node { name artifacts(first: 100) { edges { node { versionIndex size createdAt state } } } } }
          }
        }
      }
    }`,
    answer: z.looseObject({
      project: z
        .looseObject({
          artifactType: z
            .looseObject({
              artifactCollections: z.looseObject({
                pageInfo: z.looseObject({ hasNextPage: z.boolean(), endCursor: text }),
                edges: edgesOf(
                  z.looseObject({
                    name: z.string(),
                    artifacts: z.looseObject({
                      edges: edgesOf(
                        z.looseObject({ versionIndex: number, size: number, createdAt: text, state: text }),
                      ),
                    }),
                  }),
                ),
              }),
            })
            .nullish(),
        })
        .nullish(),
    }),
  },
  remove: {
    text: `mutation DeleteArtifact($id: ID!) {
      deleteArtifact(input: {artifactID: $id, deleteAliases: true}) { artifact { id } }
    }`,
    answer: z.unknown(),
  },
}
