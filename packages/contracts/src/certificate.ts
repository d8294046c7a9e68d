/** Certificates: the local authority, own ones, those of an authority of the internet (ACME), and what is served under which name. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import { hostName } from './gateway.ts'
import { qr } from './qr.ts'
import { route } from './route.ts'

/** Less than this left: people are told. */
export const EXPIRY_ALERT_DAYS = 14

export const challengeKind = z.enum(['http-01', 'dns-01'])
export type ChallengeKind = z.infer<typeof challengeKind>

/**
 * ordering: was never given yet, it is being asked for. expiring: less than fourteen days left. failed: it was never given and the last try
 * failed; `problem` says why. A renewal that fails changes no state, only `problem`: what there is goes on being served.
 */
export const certificateState = z.enum(['ordering', 'valid', 'expiring', 'expired', 'failed', 'revoked'])
export type CertificateState = z.infer<typeof certificateState>

export const certificate = z.strictObject({
  id,
  /** own: somebody brought it. acme: ordered and renewed by us. */
  source: z.enum(['own', 'acme']),
  names: z.array(z.string()),
  state: certificateState,
  issuer: z.string().nullable(),
  serial: z.string().nullable(),
  /** SHA-256, `AB:CD:…`. */
  fingerprint: z.string().nullable(),
  /** Such as `ECDSA P-256`, `RSA 2048`. */
  keyType: z.string().nullable(),
  notBefore: time.nullable(),
  notAfter: time.nullable(),
  challenge: challengeKind.nullable(),
  /** Why the last try to get or renew it failed, for people. */
  problem: z.string().nullable(),
  /** What is being done now, where something is. */
  step: z.enum(['order', 'challenge', 'finalize', 'download']).nullable(),
  /** When it is tried or renewed next. */
  nextAt: time.nullable(),
  createdAt: time,
  changedAt: time,
})
export type Certificate = z.infer<typeof certificate>

/** What a name is served with. Own before ACME before the local authority. */
export const servedHost = z.strictObject({
  host: z.string(),
  source: z.enum(['own', 'acme', 'local']),
  certificateId: id.nullable(),
  notAfter: time.nullable(),
})
export type ServedHost = z.infer<typeof servedHost>

export const authority = z.strictObject({
  name: z.string(),
  /** SHA-256 over the DER form, as devices show it. */
  fingerprint: z.string(),
  notAfter: time,
  pem: z.string(),
  /** Base64. */
  der: z.string(),
})
export type Authority = z.infer<typeof authority>

/** Where a person's device is told to trust the authority; the words for each are the dashboard's. */
export const TRUST_DEVICES = ['ios', 'android', 'windows', 'macos', 'linux', 'firefox', 'tv'] as const
export type TrustDevice = (typeof TRUST_DEVICES)[number]

/** pem: Linux, Firefox, Android. der: Windows, televisions. mobileconfig: Apple. */
export const authorityForm = z.enum(['pem', 'der', 'mobileconfig'])
export type AuthorityForm = z.infer<typeof authorityForm>

const pem = (most: number) => z.string().max(most)
const common = { params: nothing, query: nothing, body: nothing }
export const certificateRoutes = {
  list: route({
    ...common,
    method: 'GET',
    path: '/api/certificates',
    permission: 'network.read',
    summary: 'Certificates that were brought or ordered',
    query: pageQuery,
    answer: page(certificate),
    audit: null,
  }),
  hosts: route({
    ...common,
    method: 'GET',
    path: '/api/certificates/hosts',
    permission: 'network.read',
    summary: 'What each name is served with',
    answer: page(servedHost),
    audit: null,
  }),
  authority: route({
    ...common,
    method: 'GET',
    path: '/api/certificates/authority',
    permission: 'public',
    summary: "This installation's own authority, which devices are told to trust; null where there is none",
    answer: z.strictObject({
      authority: authority.nullable(),
      /** The page that helps another device trust it, also as a code for its camera. Null: no other device could open it. */
      page: z.strictObject({ url: z.string(), code: qr }).nullable(),
    }),
    audit: null,
  }),
  authorityFile: route({
    ...common,
    method: 'GET',
    path: '/api/certificates/authority/:form',
    permission: 'public',
    summary: 'The same as a file for a device',
    params: z.strictObject({ form: authorityForm }),
    answer: z.string(),
    audit: null,
  }),
  read: route({
    ...common,
    method: 'GET',
    path: '/api/certificates/:id',
    permission: 'network.read',
    summary: 'One certificate',
    params: byId,
    answer: certificate,
    audit: null,
  }),
  import: route({
    ...common,
    method: 'POST',
    path: '/api/certificates/import',
    permission: 'network.manage',
    summary: 'Bring a certificate with its chain and key',
    /** PEM; the certificate itself first is usual, any order is understood. */
    body: z.strictObject({ certificate: pem(128 * 1024), key: pem(32 * 1024) }),
    answer: certificate,
    audit: 'certificate.imported',
    stepUp: true,
  }),
  order: route({
    ...common,
    method: 'POST',
    path: '/api/certificates/order',
    permission: 'network.manage',
    summary: 'Order a certificate from an authority of the internet (ACME); it is renewed by itself',
    body: z.strictObject({
      names: z.array(hostName).min(1).max(50),
      challenge: challengeKind.default('http-01'),
      /** The authority's terms of use. */
      agree: z.literal(true, { error: 'agree to the terms of the authority' }),
    }),
    answer: certificate,
    audit: 'certificate.ordered',
  }),
  renew: route({
    ...common,
    method: 'POST',
    path: '/api/certificates/:id/renew',
    permission: 'network.manage',
    summary: 'Order it again now',
    params: byId,
    answer: certificate,
    audit: 'certificate.renewed',
  }),
  revoke: route({
    ...common,
    method: 'POST',
    path: '/api/certificates/:id/revoke',
    permission: 'network.manage',
    summary: 'Tell the authority that it must not be trusted any more, and stop serving it',
    params: byId,
    answer: certificate,
    audit: 'certificate.revoked',
    stepUp: true,
  }),
  remove: route({
    ...common,
    method: 'DELETE',
    path: '/api/certificates/:id',
    permission: 'network.manage',
    summary: 'Forget it with its key; the local authority takes over',
    params: byId,
    answer: nothing,
    audit: 'certificate.removed',
    stepUp: true,
  }),
}
