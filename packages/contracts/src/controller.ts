/** Controllers: enrolment, the link's messages (versioned), and what the API shows. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, slug, time } from './basics.ts'
import { clusterChoice, clusterReport, clusterView } from './cluster.ts'
import { address, observedInstance, platformName, wish } from './instance.ts'
import { homesThere, measuredVolume } from './kept.ts'
import { loosened } from './loosened.ts'
import { route } from './route.ts'
import { useAnswer, useQuestion } from './use.ts'

/**
 * Protocol of the link: a whole number, N and N−1 are spoken. It stays as it is while a release only adds what others may leave out: types of
 * messages, and fields without which an instance has less than it asked for, never more than it may.
 */
export const PROTOCOL = 1
export const SPOKEN: readonly number[] = [PROTOCOL, PROTOCOL - 1].filter((it) => it > 0)
export const LINK_PATH = '/api/controllers/link'
export const HEARTBEAT_MS = 5_000
export const OFFLINE_MS = 12_000
export const LINK_MESSAGE_BYTES = 8 * 2 ** 20

export const isolation = z.enum(['uid', 'userns', 'none', 'container'])
/** What one platform on one machine is and can do, measured. */
export const fingerprint = z.object({
  platform: platformName,
  /** false: present but not usable now; `detail` says why and how to get better. */
  usable: z.boolean(),
  detail: z.string().max(500),
  version: z.string().max(100),
  isolation,
  limits: z.boolean(),
  network: z.boolean(),
  /** Networks that lead nowhere (`local`) are possible; absent: not known. */
  localNetwork: z.boolean().optional(),
  /** Content digests of images that are built here. */
  images: z.array(z.string()).max(500),
})
export type Fingerprint = z.infer<typeof fingerprint>

export const capacity = z.object({
  cpus: z.number(),
  memoryBytes: z.number(),
  memoryFreeBytes: z.number(),
  diskFreeBytes: z.number(),
  load1: z.number(),
  /** The most that any one machine of a cluster has for instances, and has free. Absent: it is one machine, or not known. */
  most: z
    .object({ memoryBytes: z.number(), memoryFreeBytes: z.number(), cpus: z.number(), cpusFree: z.number() })
    .optional(),
})
export type Capacity = z.infer<typeof capacity>

/** Raw Ed25519 public key, base64 (RFC 8032, 32 bytes). */
export const publicKey = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'is not an Ed25519 public key')

/** Another instance's port: on the same controller directly, else by the control plane. */
export const linkTarget = z.object({
  instanceId: id,
  port: slug,
  controllerId: id,
  address: address.nullable(),
})
export type LinkTarget = z.infer<typeof linkTarget>

/** Unknown fields are left out by receivers, at every depth. */
const message = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  loosened(z.object({ type: z.literal(type), ...shape }))

/** control plane → controller */
export const toController = z.discriminatedUnion('type', [
  message('challenge', { nonce: z.string(), protocols: z.array(z.number().int()) }),
  message('welcome', {
    protocol: z.number().int(),
    controllerId: id,
    heartbeatMs: z.number().int(),
    serverTime: time,
  }),
  /** Everything this controller should have; what is not in it is to be reaped. Sent on every connect after the inventory. */
  message('desired.all', { instances: z.array(wish) }),
  message('desired', { instance: wish }),
  /** The row is gone: stop and remove whatever is left. */
  message('forget', { id, generation: z.number().int() }),
  message('stream.open', { streamId: id, instanceId: id, port: slug, token: z.string() }),
  message('logs.read', { requestId: id, instanceId: id, lines: z.number().int() }),
  message('screen.read', { requestId: id, instanceId: id, port: slug, maxWidth: z.number().int() }),
  message('use.read', useQuestion),
  /** Where the links of an instance lead now, in order of preference; whole each time. An empty list: nowhere at the moment. */
  message('links', {
    instanceId: id,
    links: z.array(z.object({ name: slug, targets: z.array(linkTarget) })),
  }),
  /** The answer to `link.dial`: a one-use token for the dial door, or why there is none. */
  message('link.dialled', { requestId: id, token: z.string().nullable(), problem: z.string().nullable() }),
  /** A certificate for an instance that asks for one (`identity`); again before it ends. */
  message('identity.given', {
    instanceId: id,
    certificate: z.string(),
    key: z.string(),
    authority: z.string(),
  }),
  /** Nobody wants what is in it any more: the only word that takes a volume away. Again until `volume.gone` says that it is. */
  message('volume.forget', { id }),
  /** How large is it, and where? Again until `volume.measured` says so. */
  message('volume.measure', { id }),
  message('refused', { code: z.string(), message: z.string() }),
  /** Make a new key and prove that you have it. */
  message('key.rotate', { requestId: id }),
  /** The new key is the only one that is valid now. */
  message('key.accepted', { requestId: id }),
])
export type ToController = z.infer<typeof toController>

/** Who called whom through links since the last time it was told. */
export const linkCalls = z.object({
  instanceId: id,
  link: slug,
  targetId: id.nullable(),
  calls: z.number().int(),
  failures: z.number().int(),
})

/** controller → control plane */
export const fromController = z.discriminatedUnion('type', [
  /** signature: Ed25519 over `kalnet-link\n<nonce>\n<configured URL>`, base64. */
  message('hello', {
    controllerId: id,
    protocols: z.array(z.number().int()),
    version: z.string().max(50),
    url: z.string().max(500),
    signature: z.string().max(200),
    hostname: z.string().max(255),
    /** Tells whether somebody shares this machine's network: hash of the boot and the network namespace. */
    machine: z.string().max(64).optional(),
    /** Questions of later releases that it answers; one that is not named is not asked. */
    answers: z.array(z.string().max(50)).max(100).optional(),
  }),
  message('inventory', {
    fingerprints: z.array(fingerprint),
    capacity,
    instances: z.array(observedInstance),
    /** Of the cluster that it drives; absent: it drives none, or is older. */
    cluster: clusterReport.optional(),
  }),
  /** `fingerprints` and `cluster`: when they changed. */
  message('heartbeat', {
    capacity,
    fingerprints: z.array(fingerprint).optional(),
    cluster: clusterReport.optional(),
  }),
  message('observed', { instance: observedInstance }),
  /** One of its instances calls by a link that leads to another controller. */
  message('link.dial', { requestId: id, instanceId: id, link: slug, targetId: id }),
  message('links.called', { calls: z.array(linkCalls).max(500) }),
  message('stream.failed', { streamId: id, problem: z.string().max(500) }),
  message('logs', { requestId: id, lines: z.array(z.string()).max(2000) }),
  /** The answer to `volume.forget`: it is not there (any more), or in words why it still is. */
  message('volume.gone', { id, problem: z.string().max(500).nullable() }),
  /** The answer to `volume.measure`; null: that cannot be known there. */
  message('volume.measured', { id, ...measuredVolume }),
  message('screen', { requestId: id, png: z.string().nullable() }),
  message('use', useAnswer),
  /** signature: by the new key over `keyText`, base64. */
  message('key.new', { requestId: id, publicKey, signature: z.string().max(200) }),
])
export type FromController = z.infer<typeof fromController>

/** What the private key signs. */
export const challengeText = (nonce: string, url: string) => `kalnet-link\n${nonce}\n${url}`
/** What a new private key signs before it takes the place of the old one. */
export const keyText = (controllerId: string, requestId: string) =>
  `kalnet-key\n${controllerId}\n${requestId}`

export const LABELS_MOST = 20
/** What a machine is called besides its name, for choosing it: `room=attic`, `gpu=none`. */
export const labels = z
  .record(slug, z.string().regex(/^[A-Za-z0-9._-]{1,63}$/, 'use up to 63 letters, digits, dots and dashes'))
  .refine((all) => Object.keys(all).length <= LABELS_MOST, `has more than ${LABELS_MOST} labels`)
export type Labels = z.infer<typeof labels>

export const controller = z.strictObject({
  id,
  name: z.string(),
  hostname: z.string().nullable(),
  version: z.string().nullable(),
  state: z.enum(['online', 'offline', 'never-connected']),
  lastSeenAt: time.nullable(),
  fingerprints: z.array(fingerprint),
  capacity: capacity.nullable(),
  instances: z.number().int(),
  /** It takes nothing new; what runs there runs on. */
  cordoned: z.boolean(),
  labels,
  /** It belongs to the installation: every organisation may use it, only the CLI on its machine changes it. */
  installation: z.boolean(),
  createdAt: time,
})
export type Controller = z.infer<typeof controller>

export const enrolBody = z.strictObject({
  token: z.string().max(200),
  name: z.string().min(1).max(60),
  publicKey,
})

/** `labels` are all there are afterwards. */
export const changeController = z
  .strictObject({
    name: z.string().trim().min(1).max(60).optional(),
    cordoned: z.boolean().optional(),
    labels: labels.optional(),
  })
  .refine((change) => Object.values(change).some((it) => it !== undefined), 'changes nothing')
export type ControllerChange = z.infer<typeof changeController>

export const controllerRoutes = {
  list: route({
    method: 'GET',
    path: '/api/controllers',
    permission: 'controller.read',
    summary: 'Controllers',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(controller),
    audit: null,
  }),
  token: route({
    method: 'POST',
    path: '/api/controllers/tokens',
    permission: 'controller.manage',
    summary: 'A one-use enrolment token, valid 1 hour',
    params: nothing,
    query: nothing,
    body: z.strictObject({ name: z.string().trim().min(1).max(60), cluster: clusterChoice.optional() }),
    /** `manifest`: where it is to drive a cluster, what is applied there; YAML, with the token. */
    answer: z.strictObject({
      token: z.string(),
      expiresAt: time,
      command: z.string(),
      manifest: z.string().optional(),
    }),
    audit: 'controller.token-made',
  }),
  cluster: route({
    method: 'GET',
    path: '/api/controllers/:id/cluster',
    permission: 'controller.read',
    summary: 'The cluster that it drives: machines, room, and what waits there and why',
    params: byId,
    query: nothing,
    body: nothing,
    /** Null: it has told of none. */
    answer: z.strictObject({ toldAt: time.nullable(), cluster: clusterView.nullable() }),
    audit: null,
  }),
  homes: route({
    method: 'GET',
    path: '/api/controllers/homes',
    permission: 'controller.read',
    summary:
      'What is kept of sessions that sleep or have failed, controller by controller; those without any are left out',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(homesThere) }),
    audit: null,
  }),
  enrol: route({
    method: 'POST',
    path: '/api/controllers/enrol',
    permission: 'public',
    summary: 'Enrol a controller with a one-use token',
    params: nothing,
    query: nothing,
    body: enrolBody,
    answer: z.strictObject({ controllerId: id }),
    audit: 'controller.enrolled',
    limits: { perMinute: 30 },
  }),
  change: route({
    method: 'PATCH',
    path: '/api/controllers/:id',
    permission: 'controller.manage',
    summary: 'Change its name or labels, or whether it takes anything new',
    params: byId,
    query: nothing,
    body: changeController,
    answer: controller,
    audit: 'controller.changed',
  }),
  drain: route({
    method: 'POST',
    path: '/api/controllers/:id/drain',
    permission: 'controller.manage',
    summary: 'It takes nothing new, and all sessions there are asked to stop',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ stopping: z.number().int() }),
    audit: 'controller.drained',
  }),
  rotate: route({
    method: 'POST',
    path: '/api/controllers/:id/rotate',
    permission: 'controller.manage',
    summary: 'Give a connected controller a new key: the old one opens nothing any more',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'controller.key-rotation-asked',
  }),
  revoke: route({
    method: 'DELETE',
    path: '/api/controllers/:id',
    permission: 'controller.manage',
    summary: 'Revoke a controller: its key stops working at once',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'controller.revoked',
  }),
}
