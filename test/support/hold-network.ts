/** Runs in a new network: gives it one cable that stays as it is, hands over a listening socket, and lives as long as who started it. */
import { createServer } from 'node:net'
import { must } from '@kalnet/io/spawn'

await must('ip', ['-batch', '-'], {
  // With loopback alone a browser would say that it is offline. TEST-NET-1 (RFC 5737) is nobody's.
  input: [
    'link set lo up',
    'link add quiet0 type veth peer name quiet1',
    'addr add 192.0.2.1/24 dev quiet0',
    'link set quiet1 up',
    'link set quiet0 up',
  ].join('\n'),
})
// Before the socket goes, so that nothing is accepted here.
const door = createServer({ pauseOnConnect: true })
door.listen(0, '127.0.0.1', () => {
  const address = door.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.send?.({ port }, door, {}, () => door.close())
})
process.on('disconnect', () => process.exit())
