/** For the bench: the real controller with a cluster alone, as a process that can be weighed. `controller.ts URL KUBECONFIG NAMESPACE HOME` */
import { join } from 'node:path'
import { runController } from '@kalnet/controller/controller'
import { createLog } from '@kalnet/io/log'
import { answer } from '../stream/processes.ts'

const [url = '', kubeconfig = '', namespace = '', home = ''] = process.argv.slice(2)
const running = runController({
  folders: { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') },
  url,
  token: 'right',
  platforms: ['kubernetes'],
  cluster: { enabled: true, kubeconfig, namespace, closed: [] },
  log: createLog('controller', 'warn'),
  // It ends with its parent.
  signal: new AbortController().signal,
})
// What it holds, without what the collector has not come to yet.
answer<{ heap: true }>(() => {
  global.gc?.()
  return process.memoryUsage().heapUsed
})
running.catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exit(1)
})
