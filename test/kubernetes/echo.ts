/** A program for pods that gives back what it hears, a session's screen beside it, and readers that miss nothing of either. */
import type { Duplex } from 'node:stream'
import type { InstanceSpecInput } from '@kalnet/contracts/instance'

export const [WEB, INNER, GAME, SCREEN] = [8080, 8081, 9090, 5900]

/** By TCP on all addresses and on the loopback alone, by UDP on all. */
const PROGRAM = `use IO::Socket::INET; $SIG{CHLD} = 'IGNORE';
if (!fork) {
  my $u = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '0.0.0.0:${GAME}') or die;
  while (defined $u->recv(my $m, 9000)) { $u->send("echo $m") }
  exit;
}
sub serve {
  my $s = IO::Socket::INET->new(Listen => 20, LocalAddr => shift, ReuseAddr => 1) or die;
  while (1) {
    my $c = $s->accept or next;
    next if fork;
    while (sysread $c, my $bytes, 65536) { for (my $at = 0; $at < length $bytes;) { $at += syswrite($c, $bytes, length($bytes) - $at, $at) // exit } }
    exit;
  }
}
if (!fork) { serve('127.0.0.1:${INNER}') }
serve('0.0.0.0:${WEB}');`

export const ECHO: Partial<InstanceSpecInput> = {
  command: ['/usr/lib/kalnet/session', 'perl', '-e', PROGRAM],
  ports: [
    { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
    { name: 'web', kind: 'http', at: { tcp: WEB } },
    { name: 'inner', kind: 'tcp', at: { tcp: INNER } },
    { name: 'game', kind: 'udp', at: { udp: GAME } },
  ],
}

/** Reads exactly so many bytes; rejects with what broke the stream. */
export function readerOf(stream: Duplex): (count: number) => Promise<Buffer> {
  let problem: Error | null = null
  let waiting = Buffer.alloc(0)
  let look: () => void = () => undefined
  stream.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    look()
  })
  for (const event of ['error', 'end', 'close'])
    stream.on(event, (error?: unknown) => {
      problem ??= error instanceof Error ? error : new Error('it ended')
      look()
    })
  return (count) =>
    new Promise((resolve, reject) => {
      look = () => {
        if (waiting.length >= count) {
          const bytes = waiting.subarray(0, count)
          waiting = waiting.subarray(count)
          look = () => undefined
          resolve(bytes)
        } else if (problem) reject(problem)
      }
      look()
    })
}

/** Says something that is different each time, and gets it back whole. */
export function talkOf(stream: Duplex): (bytes: number) => Promise<void> {
  const read = readerOf(stream)
  let turn = 0
  return async (bytes) => {
    turn += 1
    const said = Buffer.alloc(bytes, `${turn} said so. `)
    stream.write(said)
    if (!(await read(bytes)).equals(said)) throw new Error(`what came back in turn ${turn} is something else`)
  }
}

const SIDE = 32
/** A viewer of a screen (RFC 6143): asks for a piece of the picture, answers its bytes. */
export async function viewerOf(stream: Duplex): Promise<() => Promise<Buffer>> {
  const read = readerOf(stream)
  await read(12)
  stream.write('RFB 003.008\n')
  await read((await read(1))[0] ?? 0)
  stream.write(Buffer.from([1]))
  await read(4)
  stream.write(Buffer.from([1]))
  const start = await read(24)
  await read(start.readUInt32BE(20))
  // Pixels as they are, and nothing else.
  stream.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]))
  return async () => {
    // Whole, from the corner, and a key that goes down and up again: both ways.
    stream.write(Buffer.from([3, 0, 0, 0, 0, 0, 0, SIDE, 0, SIDE]))
    for (const isDown of [1, 0]) stream.write(Buffer.from([4, isDown, 0, 0, 0, 0, 0, 0x61]))
    for (;;) {
      const [kind] = await read(1)
      if (kind === 2) continue
      if (kind === 3) {
        const head = await read(7)
        await read(head.readUInt32BE(3))
        continue
      }
      if (kind !== 0) throw new Error(`the screen said something else: ${kind}`)
      const count = (await read(3)).readUInt16BE(1)
      const pieces: Buffer[] = []
      for (let at = 0; at < count; at += 1) {
        const place = await read(12)
        pieces.push(await read(place.readUInt16BE(4) * place.readUInt16BE(6) * 4))
      }
      return Buffer.concat(pieces)
    }
  }
}
