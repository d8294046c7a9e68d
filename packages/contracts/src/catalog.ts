/** The catalog over the API. */
import { z } from 'zod'
import { nothing, slug } from './basics.ts'
import { platformName } from './instance.ts'
import { route } from './route.ts'
import { category, templateInput } from './template.ts'

export const catalogEntry = z.strictObject({
  id: slug,
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
  network: z.enum(['none', 'internet']),
  /** A first frame of this template was seen by a test of this release. */
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
    answer: z.strictObject({ items: z.array(catalogEntry), problems: z.array(catalogProblem) }),
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
