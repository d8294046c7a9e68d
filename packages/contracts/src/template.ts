/** The template format: what the catalog offers. `catalog/templates/<id>/template.yaml`. */
import { z } from 'zod'
import { slug } from './basics.ts'
import { probe } from './health.ts'
import { network, platformName, port, portNumber, resources, volumeClass, volumeSize } from './instance.ts'
import { placing } from './placing.ts'

export const category = z.enum([
  'browsers',
  'desktops',
  'office',
  'development',
  'design',
  'media',
  'tools',
  'websites',
  'files',
  'chat',
  'automation',
  'games',
  'home',
  'network',
  'databases',
])

/** A question asked at launch. The answer reaches the instance as the environment variable. */
export const templateInput = z.strictObject({
  name: slug,
  label: z.string().min(1).max(60),
  help: z.string().max(200).optional(),
  type: z
    .enum(['text', 'number', 'boolean', 'choice', 'url', 'secret'])
    .describe(
      'secret: a password that somebody chose. Kept sealed, shown to nobody; only services ask for one.',
    ),
  required: z.boolean().default(false),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  choices: z.array(z.string().max(60)).max(50).optional(),
  maxLength: z.number().int().max(2000).default(200),
  pattern: z.string().max(200).optional().describe('A regular expression that the whole text must fit.'),
  environment: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .describe('The environment variable that carries the answer.'),
})
export type TemplateInput = z.infer<typeof templateInput>

const common = {
  id: slug.describe('The name of its folder.'),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'is not a version such as 1.0.0')
    .describe('Raise it with every change; the proof of its first frame belongs to a version.'),
  channel: z.enum(['stable', 'beta']).default('stable'),
  extends: slug.optional().describe('Another template whose fields this one starts from.'),
  deprecated: z.string().max(200).optional().describe('Why not to start it any more, and what instead.'),
  name: z.string().min(1).max(40),
  summary: z.string().min(1).max(120).describe('One sentence a parent understands.'),
  description: z.string().max(2000).default(''),
  category,
  keywords: z.array(z.string().max(30)).max(20).default([]),
  /** SVG file beside the template. */
  icon: z
    .string()
    .regex(/^[a-z0-9-]+\.svg$/)
    .default('icon.svg'),
  licence: z.string().max(100).describe('Licence of the software inside, SPDX.'),
  docs: z.url().optional(),
  platforms: z.array(platformName).min(1).default(['process', 'docker', 'kubernetes']),
  placing: placing.optional().describe("As the setting `placing`; else the installation's own choice."),
  inputs: z.array(templateInput).max(20).default([]).describe('What is asked at launch.'),
}
const image = z
  .union([z.strictObject({ recipe: slug }), z.strictObject({ reference: z.string() })])
  .describe("A recipe's name in catalog/images, or somebody else's image.")
const command = z.array(z.string().max(4096)).max(64)
const readyWithinMs = z.number().int().min(1000).max(600_000).default(60_000)

export const idleAction = z.enum(['hibernate', 'stop'])
/** What becomes of a session that nobody uses. */
export const idlePolicy = z.strictObject({
  action: z
    .enum(['nothing', ...idleAction.options])
    .default('nothing')
    .describe('hibernate: its programs end, its home is kept. stop: it ends, and its home goes.'),
  afterMinutes: z
    .number()
    .int()
    .min(5)
    .max(30 * 24 * 60)
    .default(720)
    .describe(
      'So long without a key, a pointer or an opened viewer. Who looks is warned two minutes before.',
    ),
  watching: z
    .boolean()
    .default(false)
    .describe('An open viewer is use, though nobody types: films, games, a dashboard on the wall.'),
})
export type IdlePolicy = z.infer<typeof idlePolicy>

export const sessionTemplate = z.strictObject({
  ...common,
  kind: z.literal('session'),
  image,
  command: command.min(1).describe('Program and words, as they are: no shell reads them.'),
  display: z
    .strictObject({
      protocol: z.enum(['vnc']).default('vnc'),
      width: z.number().int().min(320).max(7680).default(1280),
      height: z.number().int().min(240).max(4320).default(800),
    })
    .prefault({}),
  ports: z.array(port).max(15).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  network: network.default('internet'),
  resources: resources.prefault({}),
  readyWithinMs,
  home: z
    .enum(['kept', 'private'])
    .default('kept')
    .describe(
      'kept: a volume of the session, so that it can sleep and wake. private: gone with each instance.',
    ),
  idle: idlePolicy
    .prefault({})
    .describe('What is done when nobody uses it for long; it never is for services.'),
})
export type SessionTemplate = z.infer<typeof sessionTemplate>

/** One container of a service. The first part is the one people mean; its replicas are counted. */
export const servicePart = z.strictObject({
  name: slug,
  image,
  command: command
    .default([])
    .describe('Program and words. Empty: what the image itself says; only for images by reference.'),
  environment: z
    .record(z.string(), z.string().max(8192))
    .default({})
    .describe(
      'Values may hold placeholders: {{answer.x}}, {{secret.x}}, {{service.name}}, {{service.url}}, {{service.host}}.',
    ),
  workdir: z.string().regex(/^\//).max(200).default('/home/user'),
  ports: z.array(port).max(15).default([]),
  network: network.default('local'),
  resources: resources.prefault({}),
  volumes: z
    .array(
      z.strictObject({
        name: slug,
        at: z
          .string()
          .regex(/^\/[^\0]*$/)
          .max(200),
        class: volumeClass.default('user-data'),
        readOnly: z.boolean().default(false),
        size: volumeSize
          .optional()
          .describe(
            'Room for it on a cluster, such as 20Gi; elsewhere it is a folder. It may be raised later.',
          ),
      }),
    )
    .max(8)
    .default([]),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/),
        content: z.string().max(65_536),
      }),
    )
    .max(16)
    .default([])
    .describe(
      'Read as /run/kalnet/files/<name>. {{x}} becomes a quoted JSON string, {{plain x}} the text itself.',
    ),
  links: z
    .array(
      z.strictObject({
        name: slug.describe('What it is called inside: <name>:<port>.'),
        part: slug.optional().describe('Another part of this service …'),
        dependency: slug.optional().describe('… or one of its dependencies …'),
        signIn: z
          .literal(true)
          .optional()
          .describe(
            '… or what an app asks of our sign-in itself, http://<name>:7400/oidc/token and the like.',
          ),
        port: slug.describe("The other one's port, by name."),
      }),
    )
    .max(16)
    .default([]),
  needs: z.array(slug).max(8).default([]).describe('Parts that must be healthy before this one starts.'),
  probe: probe.nullable().default(null),
  identity: z.boolean().default(false).describe('Mount a short-lived certificate of its own.'),
  readyWithinMs,
})
export type ServicePart = z.infer<typeof servicePart>

/** Where a link to our own sign-in leads: to no instance, and always on this port. */
export const SIGN_IN_LINK = { targetId: '00000000-0000-7000-8000-000000000001', port: 7400 } as const

/** How people reach it: made as routes when the service is installed. */
export const serviceDoor = z.strictObject({
  port: slug.describe('A port of the first part.'),
  kind: z.enum(['http', 'tcp', 'udp']).default('http'),
  /** For tcp and udp: where the gateway listens. */
  listen: portNumber.optional(),
  access: z.enum(['people', 'public']).default('people'),
  paths: z
    .array(z.string().regex(/^\//).max(100))
    .max(8)
    .default([])
    .describe('These paths are open to everybody (webhooks).'),
  appPasswords: z.boolean().default(false),
})
export type ServiceDoor = z.infer<typeof serviceDoor>

export const serviceTemplate = z.strictObject({
  ...common,
  kind: z.literal('service'),
  parts: z.array(servicePart).min(1).max(8),
  doors: z.array(serviceDoor).max(8).default([]),
  dependencies: z
    .array(
      z.strictObject({
        name: slug,
        label: z.string().min(1).max(60),
        required: z.boolean().default(true),
        secrets: z
          .array(slug)
          .max(4)
          .default([])
          .describe(
            'What it is handed of that service, which must share it: {{dependency.<name>.<secret>}}.',
          ),
      }),
    )
    .max(8)
    .default([])
    .describe('Other services it uses, chosen when it is installed.'),
  secrets: z
    .array(
      z.strictObject({
        name: slug,
        bytes: z.number().int().min(16).max(64).default(24),
        label: z
          .string()
          .min(1)
          .max(60)
          .optional()
          .describe('For people: who manages services may have it shown. Without it nobody sees it.'),
        shared: z.boolean().default(false).describe('Handed to services that use this one and ask for it.'),
      }),
    )
    .max(16)
    .default([])
    .describe('Made at random when it is installed and kept sealed.'),
  replicas: z.strictObject({ most: z.number().int().min(1).max(20).default(1) }).prefault({}),
  /** `members`: opens by its own sign-in through us (OpenID Connect); registered as an app at install. */
  signIn: z
    .strictObject({
      openid: z.strictObject({
        callback: z.string().regex(/^\//).max(200),
        signOut: z
          .string()
          .regex(/^\/[\w./~-]*$/)
          .max(200)
          .optional()
          .describe(
            'Where its first http door is told that somebody signed out here (OpenID back-channel logout).',
          ),
      }),
    })
    .optional()
    .describe(
      'It signs people in by OpenID Connect: {{openid.issuer}}, {{openid.client}} and {{openid.secret}} may be used.',
    ),
})
export type ServiceTemplate = z.infer<typeof serviceTemplate>

export const template = z.discriminatedUnion('kind', [sessionTemplate, serviceTemplate])
export type Template = z.infer<typeof template>

/** Names of the recipes in catalog/images that it is made of. */
export const recipesOf = (it: Template): string[] =>
  (it.kind === 'session' ? [it.image] : it.parts.map((part) => part.image)).flatMap((image) =>
    'recipe' in image ? [image.recipe] : [],
  )

/** What a person answered; validated against the template's inputs by the resolver. Of a secret that is kept, `true` is all that is said. */
export const answers = z.record(slug, z.union([z.string().max(2000), z.number(), z.boolean()]))
export type Answers = z.infer<typeof answers>
