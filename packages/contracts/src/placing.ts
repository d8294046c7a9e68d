/** Where instances go: the choice that people make for all of them, and what is told of a choice that was made. */
import { z } from 'zod'
import { id } from './basics.ts'

/** spread: where most is free. pack: where least is free that is enough. */
export const placing = z.enum(['spread', 'pack'])
export type Placing = z.infer<typeof placing>

/** What speaks for a controller, each in points; the weights stand in `server/controllers/scoring.ts`. */
export const points = z.strictObject({
  image: z.number(),
  memory: z.number(),
  cpu: z.number(),
  person: z.number(),
})
export type Points = z.infer<typeof points>

export const CONSIDERED_MOST = 10
/** Why an instance is where it is: each controller that was looked at then, the chosen one first. */
export const placed = z.strictObject({
  placing,
  considered: z
    .array(
      z.strictObject({
        controllerId: id,
        name: z.string(),
        points: points.nullable(),
        /** Why it could not be chosen, in words; null: it could. */
        problem: z.string().nullable(),
      }),
    )
    .max(CONSIDERED_MOST),
  /** How many more there were. */
  others: z.number().int(),
})
export type Placed = z.infer<typeof placed>
