/**
 * Hears in what a viewer sends whether somebody is there: keys and the pointer, but nothing that a viewer says by itself. Reads lengths
 * only (RFC 6143 and what noVNC and TigerVNC add to it) and keeps at most the head of one message.
 */

/** What follows the head, once the head is there. */
interface Shape {
  head: number
  more?: (head: Buffer) => number
  isInput?: boolean
}
const SHAPES: Record<number, Shape> = {
  0: { head: 20 },
  2: { head: 4, more: (it) => 4 * it.readUInt16BE(2) },
  3: { head: 10 },
  4: { head: 8, isInput: true },
  // A marker in the mask: more buttons follow.
  5: { head: 6, more: (it) => ((it[1] ?? 0) & 0x80 ? 1 : 0), isInput: true },
  // A negative length is the extended clipboard's.
  6: { head: 8, more: (it) => Math.abs(it.readInt32BE(4)) },
  150: { head: 10 },
  248: { head: 9, more: (it) => it[8] ?? 0 },
  250: { head: 4 },
  251: { head: 8, more: (it) => 16 * (it[6] ?? 0) },
  255: { head: 12, isInput: true },
}
const LONGEST_HEAD = 20
/** Its version, the kind of security that it chose, and whether it shares. */
const GREETING = 12 + 1 + 1

/** `onInput` may be called for every chunk. What cannot be read counts as input from there on: nobody is put to sleep by mistake. */
export function createInputWatch(onInput: () => void): (chunk: Buffer) => void {
  const head = Buffer.alloc(LONGEST_HEAD)
  let held = 0
  let skip = GREETING
  let lost = false
  return (chunk) => {
    let isInput = lost
    let at = 0
    while (!lost && at < chunk.length) {
      if (skip > 0) {
        const over = Math.min(skip, chunk.length - at)
        skip -= over
        at += over
        continue
      }
      head[held] = chunk[at] ?? 0
      held += 1
      at += 1
      const shape = SHAPES[head[0] ?? 0]
      if (!shape) {
        lost = true
        isInput = true
      } else if (held === shape.head) {
        skip = shape.more?.(head) ?? 0
        isInput ||= shape.isInput ?? false
        held = 0
      }
    }
    if (isInput) onInput()
  }
}
