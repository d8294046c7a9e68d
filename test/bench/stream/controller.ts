/** The controller's part of the stream path: the real link, dial back and join, with one socket in the place of a platform. */
import { connect } from 'node:net'
import { createLog } from '@kalnet/io/log'
import { joinStreams } from '@kalnet/wire/join'
import { connectLink } from '@kalnet/wire/link'
import { dialRaw } from '@kalnet/wire/raw'
import { v7 } from 'uuid'
import { answer } from './processes.ts'

const [url = '', display = ''] = process.argv.slice(2)
const log = createLog('bench-controller', 'warn')
const { signal } = new AbortController()

async function open(token: string): Promise<void> {
  const screen = connect(display)
  const raw = await dialRaw({ url, token, signal })
  await joinStreams(screen, raw, signal)
}

connectLink({
  url,
  identity: { controllerId: v7(), sign: () => '' },
  hello: { version: 'bench', hostname: 'bench' },
  onMessage(message) {
    if (message.type === 'stream.open')
      open(message.token).catch((error: unknown) => log.error({ err: error }, 'open'))
  },
  onUp: () => undefined,
  onDown: (reason) => log.warn({ reason }, 'down'),
  signal,
  log,
})
answer((request: { gc?: true }) => {
  if (request.gc) globalThis.gc?.()
})
