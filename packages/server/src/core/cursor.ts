/** A place in the outbox: `<epoch>.<xid>.<seq>`, opaque to everybody else. */

export interface Place {
  xid: bigint
  seq: bigint
}
const CURSOR = /^([0-9a-f]{1,40})\.(\d{1,20})\.(\d{1,19})$/

export const cursorOf = (epoch: string, place: Place) => `${epoch}.${place.xid}.${place.seq}`

export function parseCursor(text: string): (Place & { epoch: string }) | null {
  const match = CURSOR.exec(text)
  if (!match) return null
  const [, epoch = '', xid = '0', seq = '0'] = match
  const place = { epoch, xid: BigInt(xid), seq: BigInt(seq) }
  // More than xid8 and bigint hold cannot come from us.
  return place.xid < 2n ** 64n && place.seq < 2n ** 63n ? place : null
}

export const isAfter = (one: Place, other: Place) =>
  one.xid > other.xid || (one.xid === other.xid && one.seq > other.seq)
