/** The smallest SOCKS 5 (RFC 1928): who asks is a test's browser, what it asks for are servers of this machine. */
import { connect, type Socket } from 'node:net'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'

const VERSION = 5
const [IPV4, NAME, IPV6] = [1, 3, 4]
const [DONE, REFUSED] = [0, 5]
const answer = (code: number) => Buffer.from([VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0])

interface Wanted {
  host: string
  port: number
}

/** Null while it is not all there: version, command, zero, kind of address, address, port. */
function wantedOf(said: Buffer): Wanted | null {
  const kind = said[3]
  const from = kind === NAME ? 5 : 4
  const length = kind === IPV4 ? 4 : kind === IPV6 ? 16 : (said[4] ?? 0)
  if (said.length < from + length + 2) return null
  const address = said.subarray(from, from + length)
  return { host: hostOf(kind, address), port: said.readUInt16BE(from + length) }
}

function hostOf(kind: number | undefined, address: Buffer): string {
  if (kind === IPV4) return address.join('.')
  if (kind === IPV6) return (address.toString('hex').match(/.{4}/g) ?? []).join(':')
  const name = address.toString('latin1')
  // As browsers do: such names are this machine, whatever a resolver says.
  return /(^|\.)localhost$/.test(name) ? 'localhost' : name
}

export function passOn(client: Socket): void {
  let said = Buffer.alloc(0)
  let greeted = false
  client.on('error', () => client.destroy())
  client.on('data', hear)

  function hear(piece: Buffer): void {
    said = Buffer.concat([said, piece])
    if (!greeted) {
      const methods = said[1]
      if (methods === undefined || said.length < 2 + methods) return
      said = said.subarray(2 + methods)
      greeted = true
      client.write(Buffer.from([VERSION, 0]))
    }
    const wanted = wantedOf(said)
    if (!wanted) return
    client.off('data', hear)
    client.pause()
    reach(wanted)
  }

  function reach(wanted: Wanted): void {
    const server = connect({ ...wanted, noDelay: true })
    const refuse = () => client.end(answer(REFUSED))
    server.once('error', refuse)
    server.once('connect', () => {
      server.off('error', refuse)
      client.setNoDelay(true)
      client.write(answer(DONE))
      void joinStreams(client, server, undefined, LONG_HALF_MS)
      client.resume()
    })
  }
}
