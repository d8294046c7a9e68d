/** Signing in by somebody else's identity provider: which there are, who may come in by them, and the accounts that are linked. */
import { z } from 'zod'
import { id, time } from './basics.ts'
import { role } from './permission.ts'

export const webAddress = z.url({ protocol: /^https?$/ }).max(500)
const name = z.string().trim().min(1, 'is missing').max(60)

/** A word of the icon set; the picture belongs to the dashboard. */
export const providerIcon = z.enum(['key', 'building', 'home', 'school', 'globe', 'people', 'shield'])
export type ProviderIcon = z.infer<typeof providerIcon>
export const providerKind = z.enum(['openid', 'saml'])
export type ProviderKind = z.infer<typeof providerKind>

/** Nobody becomes an owner because a list elsewhere says so. */
export const mappedRole = role.exclude(['owner'])
/** In order: the first rule that fits and names a role decides the role; every rule that fits and names a group puts in it. */
export const mappingRule = z
  .strictObject({
    /** The provider's name for the group, exactly. */
    group: z.string().trim().min(1).max(200),
    role: mappedRole.optional(),
    groupId: id.optional(),
  })
  .refine((rule) => rule.role !== undefined || rule.groupId !== undefined, 'gives neither a role nor a group')
export type MappingRule = z.infer<typeof mappingRule>

/** When a sign-in there counts as two factors. `values`: of `acr` or `amr` (OpenID Connect), of the authentication context (SAML). */
export const countsAsSecondFactor = z.discriminatedUnion('when', [
  z.strictObject({ when: z.literal('never') }),
  z.strictObject({ when: z.literal('always') }),
  z.strictObject({ when: z.literal('told'), values: z.array(z.string().min(1).max(200)).min(1).max(20) }),
])
export type CountsAsSecondFactor = z.infer<typeof countsAsSecondFactor>

/** What both kinds have. */
const common = {
  name,
  icon: providerIcon,
  enabled: z.boolean(),
  rules: z.array(mappingRule).max(100),
  defaultRole: mappedRole,
  /** Off: only those who linked their account come in. */
  createsPeople: z.boolean(),
  secondFactor: countsAsSecondFactor,
}
const given = {
  name,
  icon: providerIcon.default('key'),
  enabled: z.boolean().default(false),
  rules: common.rules.default([]),
  defaultRole: mappedRole.default('member'),
  createsPeople: z.boolean().default(false),
  secondFactor: countsAsSecondFactor.default({ when: 'never' }),
}
const openIdFields = {
  issuer: webAddress,
  clientId: z.string().trim().min(1).max(300),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/)).max(20),
  /** The claim that lists the groups; a dot goes into an object (`realm_access.roles`). */
  groupsClaim: z.string().min(1).max(100),
}
const clientSecret = z.string().min(1).max(1000)
export const samlMetadata = z
  .strictObject({
    /** The provider's metadata document, or where it is. */
    xml: z.string().max(200_000).optional(),
    url: webAddress.optional(),
  })
  .refine(
    (it) => (it.xml === undefined) !== (it.url === undefined),
    'needs either the document or its address',
  )
const groupsAttribute = z.string().min(1).max(200)
const emailAttribute = z.string().min(1).max(200)

export const samlFacts = z.strictObject({
  entityId: z.string(),
  signInUrl: z.string(),
  certificates: z.array(
    z.strictObject({ subject: z.string(), fingerprint: z.string(), expiresAt: time, expired: z.boolean() }),
  ),
})
export type SamlFacts = z.infer<typeof samlFacts>

export const openIdProvider = z.strictObject({
  id,
  kind: z.literal('openid'),
  ...common,
  ...openIdFields,
  hasSecret: z.boolean(),
  /** For the provider's own settings: where it sends people back to, and where it tells that somebody signed out. */
  callbackUrl: z.string(),
  backchannelLogoutUrl: z.string(),
  /** How many accounts are linked. */
  people: z.number().int(),
  createdAt: time,
})
export const samlProvider = z.strictObject({
  id,
  kind: z.literal('saml'),
  ...common,
  ...samlFacts.shape,
  metadataUrl: z.string().nullable(),
  groupsAttribute,
  emailAttribute,
  /** For the provider's own settings: our metadata (its address is our entity id) and where answers go. */
  ourMetadataUrl: z.string(),
  acsUrl: z.string(),
  people: z.number().int(),
  createdAt: time,
})
export const provider = z.discriminatedUnion('kind', [openIdProvider, samlProvider])
export type OpenIdProvider = z.infer<typeof openIdProvider>
export type SamlProvider = z.infer<typeof samlProvider>
export type Provider = z.infer<typeof provider>

export const newProvider = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openid'),
    ...given,
    ...openIdFields,
    scopes: openIdFields.scopes.default(['openid', 'profile', 'email']),
    groupsClaim: openIdFields.groupsClaim.default('groups'),
    clientSecret: clientSecret.optional(),
  }),
  z.strictObject({
    kind: z.literal('saml'),
    ...given,
    metadata: samlMetadata,
    groupsAttribute: groupsAttribute.default('groups'),
    emailAttribute: emailAttribute.default('email'),
  }),
])
export type NewProvider = z.infer<typeof newProvider>
export const changeProvider = z
  .strictObject({
    ...z.strictObject(common).partial().shape,
    clientId: openIdFields.clientId.optional(),
    clientSecret: clientSecret.optional(),
    scopes: openIdFields.scopes.optional(),
    groupsClaim: openIdFields.groupsClaim.optional(),
    metadata: samlMetadata.optional(),
    groupsAttribute: groupsAttribute.optional(),
    emailAttribute: emailAttribute.optional(),
  })
  .refine((change) => Object.values(change).some((it) => it !== undefined), 'changes nothing')
export type ChangeProvider = z.infer<typeof changeProvider>

/** One thing looked at by a test, in words. */
const check = z.strictObject({
  what: z.string(),
  state: z.enum(['good', 'warning', 'bad']),
  text: z.string(),
})
export const providerCheck = z.strictObject({ good: z.boolean(), checks: z.array(check) })
export type ProviderCheck = z.infer<typeof providerCheck>

/** What stands on the sign-in page: names only. */
export const providerButton = z.strictObject({ id, name: z.string(), icon: providerIcon })
export type ProviderButton = z.infer<typeof providerButton>

export const linkedAccount = z.strictObject({
  id,
  provider: providerButton,
  /** How the account is called there. */
  account: z.string(),
  linkedAt: time,
  lastUsedAt: time.nullable(),
  /** False: it is the last way in. */
  removable: z.boolean(),
})
export type LinkedAccount = z.infer<typeof linkedAccount>
