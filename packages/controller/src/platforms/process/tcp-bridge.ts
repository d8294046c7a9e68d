/** Runs in an instance's network namespace: joins its own standard streams with one of the instance's loopback ports. */
import { connect } from 'node:net'

const socket = connect({ host: '127.0.0.1', port: Number(process.argv[2]) })
socket.once('connect', () => {
  process.stderr.write('connected\n')
  process.stdin.pipe(socket).pipe(process.stdout)
})
socket.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
socket.once('close', () => process.stdout.end(() => process.exit(0)))
