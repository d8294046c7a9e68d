/** The catalog over the API. */
import { z } from 'zod'
import { nothing, slug } from './basics.ts'
import { network, platformName } from './instance.ts'
import { route } from './route.ts'
import { category, serviceDoor, templateInput } from './template.ts'

export const catalogEntry = z.strictObject({
  id: slug,
  /** session: one's own screen. service: runs all the time for everybody. */
  kind: z.enum(['session', 'service']),
  version: z.string(),
  name: z.string(),
  summary: z.string(),
  description: z.string(),
  category,
  keywords: z.array(z.string()),
  /** Address of the icon, `/api/templates/<id>/icon`. */
  icon: z.string(),
  licence: z.string(),
  docs: z.string().nullable(),
  platforms: z.array(platformName),
  inputs: z.array(templateInput),
  memoryBytes: z.number().int(),
  network,
  /** Of services: how people reach it, what it needs, and how many there may be. */
  doors: z.array(serviceDoor),
  dependencies: z.array(z.strictObject({ name: slug, label: z.string(), required: z.boolean() })),
  replicasMost: z.number().int(),
  /** This version was seen to work by a test: its first frame, or for a service a whole life. */
  proved: z.boolean(),
  deprecated: z.string().nullable(),
})
export type CatalogEntry = z.infer<typeof catalogEntry>
/** A template file that could not be used, and why. */
export const catalogProblem = z.strictObject({ file: z.string(), problem: z.string() })

export const catalogRoutes = {
  list: route({
    method: 'GET',
    path: '/api/templates',
    permission: 'catalog.read',
    summary: 'What can be launched',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({
      items: z.array(catalogEntry),
      problems: z.array(catalogProblem),
      /** Where something can be started now: what some machine that takes new things says it can do. */
      offered: z.array(platformName),
    }),
    audit: null,
  }),
  read: route({
    method: 'GET',
    path: '/api/templates/:id',
    permission: 'catalog.read',
    summary: 'One template',
    params: z.strictObject({ id: slug }),
    query: nothing,
    body: nothing,
    answer: catalogEntry,
    audit: null,
  }),
  /** SVG; the answer is the file itself. */
  icon: route({
    method: 'GET',
    path: '/api/templates/:id/icon',
    permission: 'catalog.read',
    summary: 'The icon of a template, SVG',
    params: z.strictObject({ id: slug }),
    query: nothing,
    body: nothing,
    answer: z.string(),
    audit: null,
  }),
}
