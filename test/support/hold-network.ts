/** Runs in a new network: gives it one cable that stays as it is, hands over a listening socket, and lives as long as who started it. */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '@kalnet/io/spawn'

const CABLE = 'quiet0'
await must('ip', ['-batch', '-'], {
  input: [
    'link set lo up',
    `link add ${CABLE} type veth peer name quiet1`,
    // An IPv6 address would come a second or two later: a change, just when the first page is loading.
    `link set ${CABLE} addrgenmode none`,
    'link set quiet1 addrgenmode none',
    // With loopback alone a browser would say that it is offline. TEST-NET-1 (RFC 5737) is nobody's.
    `addr add 192.0.2.1/24 dev ${CABLE}`,
    'link set quiet1 up',
    `link set ${CABLE} up`,
  ].join('\n'),
})
// The kernel says a little later that the cable carries: nothing changes after that.
while (!(await must('ip', ['link', 'show', CABLE])).stdout.includes('state UP')) await sleep(10)

// Before the socket goes, so that nothing is accepted here.
const door = createServer({ pauseOnConnect: true })
door.listen(0, '127.0.0.1', () => {
  const address = door.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.send?.({ port }, door, {}, () => door.close())
})
process.on('disconnect', () => process.exit())
