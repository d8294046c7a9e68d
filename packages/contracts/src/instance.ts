/** The instance spec: the waist between control plane and controllers. */
import { z } from 'zod'
import { id, slug, time } from './basics.ts'
import { health, probe } from './health.ts'
import { loosened } from './loosened.ts'
import { recipeChain } from './recipe.ts'

export const platformName = z.enum(['fake', 'process', 'docker', 'kubernetes'])
export type PlatformName = z.infer<typeof platformName>

const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/)
const inside = z
  .string()
  .regex(/^\/[^\0]*$/)
  .max(200)
export const portNumber = z.number().int().min(1).max(65535)

/** How a port is reached inside the instance. A unix path is inside `/run/kalnet`, the folder shared with the controller. */
export const port = z.strictObject({
  name: slug,
  kind: z.enum(['display', 'http', 'tcp', 'udp']),
  at: z.union([
    z.strictObject({ unix: z.string().regex(/^\/run\/kalnet\/[a-z0-9.-]{1,40}$/) }),
    z.strictObject({ tcp: portNumber }),
    z.strictObject({ udp: portNumber }),
  ]),
})
export type Port = z.infer<typeof port>

export const imageSource = z.union([
  z.strictObject({ recipe: recipeChain }),
  /** Somebody else's image: only platforms that take images by reference. */
  z.strictObject({ reference: z.string().regex(/^[\w.\-/:@]{1,255}$/) }),
])
export type ImageSource = z.infer<typeof imageSource>

/**
 * none: no network at all. local: its own network, which its machine reaches and which leads nowhere. internet: also outbound;
 * loopback, host, link-local and LAN stay blocked. What else it may reach is declared as `links`.
 */
export const network = z.enum(['none', 'local', 'internet'])
export type Network = z.infer<typeof network>

export const resources = z.strictObject({
  cpus: z.number().min(0.1).max(64).default(1),
  memoryBytes: z
    .number()
    .int()
    .min(32 * 2 ** 20)
    .max(2 ** 40)
    .default(512 * 2 ** 20),
  processes: z.number().int().min(16).max(10_000).default(256),
  /** /dev/shm; browsers need it. */
  sharedMemoryBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 34)
    .default(64 * 2 ** 20),
})

/** Where the home of an instance is inside. A volume there takes the place of the private one. */
export const HOME = '/home/user'

/** What kind of data a volume holds; says later what is backed up. */
export const volumeClass = z.enum(['config', 'cache', 'media', 'user-data', 'secrets'])

export const volumeSize = z.string().regex(/^[1-9]\d{0,5}(Mi|Gi|Ti)$/, 'is a size such as 10Gi')

/** A folder that outlives the instance. The same id is the same folder on its controller, whatever generation has it. */
export const volume = z.strictObject({
  id,
  name: slug,
  at: inside,
  class: volumeClass.default('user-data'),
  readOnly: z.boolean().default(false),
  /** Where volumes have sizes: clusters. Absent: the usual one there. It only ever grows. */
  size: volumeSize.optional(),
  /** It was made before: a new one in its place would look as if all in it were lost. Refused when it is not there. */
  existing: z.literal(true).optional(),
})
export type Volume = z.infer<typeof volume>

/** Written by the controller as `/run/kalnet/files/<name>` before the start; readable by the instance alone. */
export const instanceFile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'is not a plain file name'),
  content: z.string().max(256 * 1024),
})

/**
 * What it may reach of other services: `<name>:<port>` inside leads there, and nowhere else. Where it leads now comes
 * apart from the spec (`links` of the control link), because it changes while the instance runs.
 */
export const link = z.strictObject({ name: slug, port: portNumber })
export type Link = z.infer<typeof link>

/**
 * Platform-neutral. The command runs as uid 1000 inside, on a read-only root, with a private writable
 * /tmp, /run/kalnet (shared with the controller only) and home `/home/user`; no capability, no new privileges.
 */
export const instanceSpec = z.strictObject({
  image: imageSource,
  /** Empty: what the image itself says; only for images by reference. */
  command: z.array(z.string().max(4096)).max(64),
  environment: z.record(envName, z.string().max(8192)).default({}),
  workdir: inside.default('/home/user'),
  ports: z.array(port).max(16).default([]),
  network: network.default('none'),
  resources: resources.prefault({}),
  restart: z.enum(['never', 'on-failure', 'always']).default('never'),
  /** Ready when this port answers (an RFB banner for a display, a connect otherwise) within the limit. */
  ready: z
    .strictObject({ port: slug, withinMs: z.number().int().min(1000).max(600_000).default(60_000) })
    .nullable()
    .default(null),
  volumes: z.array(volume).max(16).default([]),
  files: z.array(instanceFile).max(16).default([]),
  links: z.array(link).max(16).default([]),
  /** Asked again and again while it runs; null: running is all that is known. */
  probe: probe.nullable().default(null),
  /** A short-lived certificate of its own lies in `/run/kalnet/identity/` (`cert.pem`, `key.pem`, `ca.pem`) and is renewed there. */
  identity: z.boolean().default(false),
  /** What a platform must never be given; the admission policy refuses any that is set. Kept so that imports can be judged. */
  wants: z
    .array(
      z.enum([
        'privileged',
        'host-network',
        'host-pid',
        'host-ipc',
        'capability',
        'device',
        'docker-socket',
        'bind-mount',
        'sysctl',
        'volume-option',
      ]),
    )
    .default([]),
  labels: z.record(slug, z.string().max(200)).default({}),
})
export type InstanceSpec = z.infer<typeof instanceSpec>
export type InstanceSpecInput = z.input<typeof instanceSpec>

/** What the control plane wants. A higher generation replaces; a lower one is refused (fencing). */
export const desiredInstance = z.strictObject({
  id,
  generation: z.number().int().min(1),
  organisationId: id,
  platform: platformName,
  state: z.enum(['running', 'stopped']),
  spec: instanceSpec,
})
export type DesiredInstance = z.infer<typeof desiredInstance>
/** What is said of it is of a later release and cannot be read here, but which one it is can. */
const unreadableInstance = z
  .object({
    id,
    generation: z.number().int().min(1),
    platform: platformName.catch('process'),
    state: z.enum(['running', 'stopped']).catch('running'),
  })
  .transform((it) => ({ ...it, unreadable: true as const }))
export type UnreadableInstance = z.infer<typeof unreadableInstance>
/** As it comes over the link: one that cannot be read keeps nobody from the others. */
export const wish = z.union([loosened(desiredInstance), unreadableInstance])
export type Wish = z.infer<typeof wish>

export const observedState = z.enum([
  'preparing',
  'creating',
  'running',
  'stopping',
  'stopped',
  'failed',
  'lost',
])
export type ObservedState = z.infer<typeof observedState>

/** Words and figures of long work, for the waiting person. */
export const progress = z.strictObject({
  /** 'image' while a root is built or unpacked, 'create' while the platform starts it, 'ready' while its port is awaited. */
  step: z.enum(['image', 'create', 'ready']),
  text: z.string().max(200),
  /** 0 to 1 where known. */
  share: z.number().min(0).max(1).nullable(),
})
export type Progress = z.infer<typeof progress>

/** Where a port answers on the machine itself; whoever shares its network may connect without a tunnel. */
export const address = z.object({ host: z.string().max(100), port: portNumber })
export type Address = z.infer<typeof address>

/** What the controller sees, with the generation it saw. */
export const observedInstance = z.object({
  id,
  generation: z.number().int().min(1),
  platform: platformName,
  state: observedState,
  /** When each came true on the controller's clock; only those that did. */
  times: z.object({ received: time, prepared: time, created: time, ready: time, ended: time }).partial(),
  progress: progress.nullable(),
  /** Why it failed or stopped, for people; null while all is well. */
  reason: z.string().max(500).nullable(),
  /** The last log lines, when it failed. */
  logTail: z.array(z.string().max(1000)).max(30),
  /** By the name of a port; only those that can be reached so. */
  addresses: z.record(slug, address).optional(),
  /** What its probe says; absent: it has none, or none was asked yet. */
  health: health.optional(),
})
export type ObservedInstance = z.infer<typeof observedInstance>
