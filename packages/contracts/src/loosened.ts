/**
 * The same schema for who receives from a later release: fields that it does not know are left out, at every depth. Strict is for
 * people's files and requests, where an unknown key is a mistake; between two releases it is what the newer one has learned.
 */
import { z } from 'zod'

/** zod's own description of a schema (`_zod.def`), as far as schemas of messages have parts. */
interface Definition extends z.core.$ZodTypeDef {
  shape?: Record<string, z.ZodType>
  catchall?: z.ZodType
  element?: z.ZodType
  options?: z.ZodType[]
  valueType?: z.ZodType
  innerType?: z.ZodType
}

const each = <T>(parts: Record<string, T>, change: (part: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part)]))

const exact = new WeakSet<z.ZodType>()
/** Stays strict in what is loosened: without what it does not know it would be another thing. */
export const exactly = <T extends z.ZodType>(schema: T): T => {
  exact.add(schema)
  return schema
}

export function loosened<T extends z.ZodType>(schema: T): T {
  if (exact.has(schema)) return schema
  const { catchall, ...definition } = schema._zod.def as Definition
  const { shape, element, options, valueType, innerType } = definition
  const parts: Partial<Definition> = {
    ...(shape && { shape: each(shape, loosened) }),
    ...(element && { element: loosened(element) }),
    ...(options && { options: options.map(loosened) }),
    ...(valueType && { valueType: loosened(valueType) }),
    ...(innerType && { innerType: loosened(innerType) }),
  }
  return Object.keys(parts).length === 0
    ? schema
    : z.core.clone(schema, { ...definition, ...parts } as T['_zod']['def'])
}
