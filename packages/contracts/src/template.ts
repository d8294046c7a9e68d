/** The template format: what the catalog offers. `catalog/templates/<id>/template.yaml`. */
import { z } from 'zod'
import { slug } from './basics.ts'
import { network, platformName, port, resources } from './instance.ts'

export const category = z.enum(['browsers', 'desktops', 'office', 'development', 'design', 'media', 'tools'])

/** A question asked at launch. The answer reaches the instance as the environment variable. */
export const templateInput = z.strictObject({
  name: slug,
  label: z.string().min(1).max(60),
  help: z.string().max(200).optional(),
  type: z.enum(['text', 'number', 'boolean', 'choice', 'url']),
  required: z.boolean().default(false),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  choices: z.array(z.string().max(60)).max(50).optional(),
  maxLength: z.number().int().max(2000).default(200),
  environment: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .describe('The environment variable that carries the answer.'),
})
export type TemplateInput = z.infer<typeof templateInput>

export const template = z.strictObject({
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
  kind: z.enum(['session']),
  image: z
    .union([z.strictObject({ recipe: slug }), z.strictObject({ reference: z.string() })])
    .describe("A recipe's name in catalog/images, or somebody else's image."),
  platforms: z.array(platformName).min(1).default(['process', 'docker']),
  command: z
    .array(z.string().max(4096))
    .min(1)
    .max(64)
    .describe('Program and words, as they are: no shell reads them.'),
  display: z
    .strictObject({
      protocol: z.enum(['vnc']).default('vnc'),
      width: z.number().int().min(320).max(7680).default(1280),
      height: z.number().int().min(240).max(4320).default(800),
    })
    .prefault({}),
  ports: z.array(port).max(15).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  inputs: z.array(templateInput).max(20).default([]).describe('What is asked at launch.'),
  network: network.default('internet'),
  resources: resources.prefault({}),
  readyWithinMs: z.number().int().min(1000).max(600_000).default(60_000),
})
export type Template = z.infer<typeof template>

/** What a person answered; validated against the template's inputs by the resolver. */
export const answers = z.record(slug, z.union([z.string().max(2000), z.number(), z.boolean()]))
export type Answers = z.infer<typeof answers>
