/**
 * Another device on the local network: asks by multicast what it is told to and prints every answer as a line of JSON; with `claim` it
 * says that a name is its own whenever somebody asks. Arguments: its address, seconds, then `ask <name> <type>` or `claim <name>`.
 */
import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'

const [address = '', seconds = '3', what = 'ask', name = '', type = 'A'] = process.argv.slice(2)
const GROUP = '224.0.0.251'
const PORT = 5353
const socket = createSocket({ type: 'udp4', reuseAddr: true })
const send = (packet: Parameters<typeof encode>[0]) => socket.send(encode(packet), PORT, GROUP)

socket.on('message', (bytes) => {
  const packet = decode(bytes)
  if (packet.type === 'response') console.log(JSON.stringify(packet.answers))
  else if (what === 'claim' && packet.questions?.some((one) => one.name === name))
    send({ type: 'response', flags: 0x400, answers: [{ type: 'A', name, ttl: 120, data: address }] })
})
socket.bind(PORT, () => {
  socket.addMembership(GROUP, address)
  socket.setMulticastInterface(address)
  console.log('"ready"')
  if (what === 'ask') send({ type: 'query', questions: [{ name, type: type as 'A' }] })
})
setTimeout(() => process.exit(0), Number(seconds) * 1000)
