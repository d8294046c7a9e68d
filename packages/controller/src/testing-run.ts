/** For tests: a controller as a process of its own, to be killed. Arguments: address, token, platforms by comma. */
import type { PlatformName } from '@kalnet/contracts/instance'
import { folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import { runController } from './controller.ts'

const [url = '', token = '', platforms = ''] = process.argv.slice(2)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('told to end')))
await runController({
  folders: folders(),
  url,
  token,
  platforms: platforms.split(',') as PlatformName[],
  log: createLog('controller', 'warn'),
  signal: stop.signal,
})
