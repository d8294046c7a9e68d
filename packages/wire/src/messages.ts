/** Reads one text message of the link: a known one, one of a later release (ignored), or a broken one. */
import type { z } from 'zod'

interface Variant extends z.ZodType {
  shape: { type: z.ZodLiteral<string> }
}
interface Union extends z.ZodType {
  options: readonly Variant[]
}
export type Read<T> =
  | { kind: 'message'; message: T }
  | { kind: 'unknown'; type: string }
  | { kind: 'invalid'; problem: string }

const typeOf = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    ? value.type
    : null

/** A reader for one direction of the link. Unknown fields are dropped by the schema, unknown types are named. */
export function createReader<U extends Union>(union: U): (text: string) => Read<z.infer<U>> {
  const byType = new Map(union.options.map((variant) => [variant.shape.type.value, variant]))
  return (text) => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return { kind: 'invalid', problem: 'it is not JSON' }
    }
    const type = typeOf(value)
    if (type === null) return { kind: 'invalid', problem: 'it has no type' }
    const variant = byType.get(type)
    if (!variant) return { kind: 'unknown', type: type.slice(0, 50) }
    const result = variant.safeParse(value)
    if (result.success) return { kind: 'message', message: result.data as z.infer<U> }
    const issue = result.error.issues[0]
    return { kind: 'invalid', problem: `${type}: ${issue?.path.join('.')} ${issue?.message}`.slice(0, 300) }
  }
}
