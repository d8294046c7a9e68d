/** What a controller tells of the cluster that it drives, and what people are shown of it; and the manifest it is enrolled by. */
import { z } from 'zod'
import { id, time } from './basics.ts'

/** Of a machine, or asked of it by pods. */
const amounts = z.object({ cpus: z.number(), memoryBytes: z.number(), pods: z.number().int() })
export type Amounts = z.infer<typeof amounts>

export const clusterMachine = z.object({
  name: z.string().max(253),
  ready: z.boolean(),
  /** Why it takes nothing, in words; empty when it does. */
  detail: z.string().max(300),
  cordoned: z.boolean(),
  capacity: amounts,
  /** What of it is for pods. */
  allocatable: amounts,
  /** Asked for by instances of ours; null in `others`: not known. */
  ours: amounts,
  others: amounts.nullable(),
})
export type ClusterMachine = z.infer<typeof clusterMachine>

/** An instance that was told to start and has not begun. */
const waiting = z.object({ instanceId: id, text: z.string().max(500), since: time })

export const MACHINES_MOST = 1000
export const WAITING_MOST = 200
export const clusterReport = z.object({
  version: z.string().max(100),
  /** Where its instances are. */
  namespaces: z.array(z.string().max(63)).max(1000),
  /** Null: we may not look. More than MACHINES_MOST are only counted. */
  machines: z.array(clusterMachine).max(MACHINES_MOST).nullable(),
  machineCount: z.number().int(),
  waiting: z.array(waiting).max(WAITING_MOST),
  waitingCount: z.number().int(),
  /** Rights that are missing, and what each would tell or do. */
  missing: z.array(z.object({ right: z.string().max(200), why: z.string().max(300) })).max(100),
  registry: z.object({
    address: z.string().max(500).nullable(),
    /** none: there is none. away: it did not answer when it was asked last. */
    state: z.enum(['none', 'answers', 'refuses', 'away']),
    detail: z.string().max(500),
  }),
  /** Brought to machines ahead: how many of those that take instances have it. Absent: nothing is brought, or it is older. */
  images: z
    .array(
      z.object({
        name: z.string().max(200),
        there: z.number().int(),
        machines: z.number().int(),
        /** Why one does not get it; null: all is well. */
        problem: z.string().max(500).nullable(),
      }),
    )
    .max(200)
    .optional(),
  /** Null: we may not look. */
  storageClasses: z
    .array(z.object({ name: z.string().max(253), usual: z.boolean(), chosen: z.boolean() }))
    .max(200)
    .nullable(),
})
export type ClusterReport = z.infer<typeof clusterReport>

/** The same for people: what waits has a name where it is theirs. */
export const clusterView = clusterReport.extend({
  waiting: z.array(
    waiting.extend({
      /** Null: it belongs to another organisation of the installation. */
      of: z.strictObject({ kind: z.enum(['session', 'service']), id, name: z.string() }).nullable(),
    }),
  ),
})
export type ClusterView = z.infer<typeof clusterView>

const label = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/, 'use lower-case letters, digits and dashes')
const named = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no name that a cluster knows')
/** What is chosen of a manifest that makes a controller of a cluster. Everything has a usual value. */
export const clusterChoice = z.strictObject({
  /** Of the controller itself. */
  namespace: label.default('kalnet'),
  /** Of what it runs. */
  instances: label.optional(),
  image: z
    .string()
    .regex(/^[\w.\-/:@]{1,255}$/, 'is no name of an image')
    .optional(),
  /** The control plane, as the cluster reaches it. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .optional(),
  /** Where the cluster gets images of ours from. */
  registry: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .optional(),
  pullSecret: named.optional(),
  storageClass: named.optional(),
  /** Its own key and notes are kept on a volume; else they are gone with its pod, and it must be enrolled anew. */
  keeps: z.boolean().default(true),
  readMachines: z.boolean().default(true),
  /** Also what others run there, so that it is known what is free. */
  readPods: z.boolean().default(false),
  /** Each organisation in a namespace of its own beside that of `instances`, which the controller makes. */
  perOrganisation: z.boolean().default(false),
  /** It runs elsewhere: only its account, with a token, and its rights. */
  outside: z.boolean().default(false),
})
export type ClusterChoice = z.infer<typeof clusterChoice>
