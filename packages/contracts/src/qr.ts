/** A QR code as data: whoever shows it draws the squares, so that no picture of a secret is ever stored or fetched. */
import { z } from 'zod'

/** Rows of `1` (dark) and `0` (light), without the quiet border of 4. */
export const qr = z.strictObject({
  size: z.number().int().min(21).max(177),
  rows: z.array(z.string().regex(/^[01]+$/)),
})
export type Qr = z.infer<typeof qr>
