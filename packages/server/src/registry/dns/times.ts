/** For how long the records of an answer hold, read and lowered in place: whatever kinds of records there are. Pure. */

/** Where each record's time stands, but for the options of the way (OPT), which have none. Null: it cannot be read. */
function placesOf(packet: Buffer): number[] | null {
  try {
    let at = 12
    const skipName = () => {
      for (;;) {
        const length = packet.readUInt8(at)
        if (length >= 0xc0) {
          at += 2
          return
        }
        at += 1 + length
        if (length === 0) return
      }
    }
    for (let left = packet.readUInt16BE(4); left > 0; left--) {
      skipName()
      at += 4
    }
    const places: number[] = []
    const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10)
    for (let left = records; left > 0; left--) {
      skipName()
      const isOption = packet.readUInt16BE(at) === 41
      if (!isOption) places.push(at + 4)
      at += 10 + packet.readUInt16BE(at + 8)
      if (at > packet.length) return null
    }
    return places
  } catch {
    // It ends in the middle of a record.
    return null
  }
}

/** The shortest, in seconds; 0 when there is none to go by. */
export function readTimes(packet: Buffer): { least: number } | null {
  const places = placesOf(packet)
  if (!places) return null
  const times = places.map((place) => packet.readUInt32BE(place))
  return { least: times.length === 0 ? 0 : Math.min(...times) }
}

/** A copy that says how long it holds from now on. */
export function withAge(packet: Buffer, seconds: number): Buffer {
  const copy = Buffer.from(packet)
  for (const place of placesOf(copy) ?? [])
    copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(place) - seconds), place)
  return copy
}
