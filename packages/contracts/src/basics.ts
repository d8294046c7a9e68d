/** The small shapes every contract is made of: ids, times, pages. */
import { z } from 'zod'

/** UUIDv7 made by the application, lower-case (RFC 9562). */
export const id = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'is not an id')
/** RFC 3339 in UTC with milliseconds. */
export const time = z.iso.datetime({ precision: 3 })
/** A short name: what a template, an image or a port is called. */
export const slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower-case letters, digits and dashes')

/** Every list answers this; `next` goes back as `?after=`, null at the end. */
export const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() })
/** Paging by cursor: `after` is opaque, `limit` 1 to 200. */
export const pageQuery = z.strictObject({
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
export const nothing = z.strictObject({})
export const byId = z.strictObject({ id })
