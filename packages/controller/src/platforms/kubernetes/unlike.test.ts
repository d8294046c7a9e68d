/** What answers and is no cluster that we can use, over stand-ins of a few lines: too old, without an API, something else altogether. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, test } from 'vitest'
import { createKubernetesPlatform } from './kubernetes.ts'
import { kubernetesSettings } from './settings.ts'

const home = mkdtempSync(join(tmpdir(), 'kn-unlike-'))
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
  rmSync(home, { recursive: true, force: true })
})

type Answer = [status: number, text: string]
/** The first word of its fingerprint about a server that answers so. */
async function saidOf(answer: (path: string) => Answer) {
  const server = createServer((request, response) => {
    const [status, text] = answer((request.url ?? '').split('?')[0] ?? '')
    response
      .writeHead(status, { 'content-type': text.startsWith('{') ? 'application/json' : 'text/plain' })
      .end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const kubeconfig = join(mkdtempSync(`${home}-`), 'kubeconfig')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'x', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'x', user: { token: 'x' } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      'current-context': 'x',
    }),
  )
  const platform = createKubernetesPlatform({
    settings: kubernetesSettings.parse({ kubeconfig }),
    installation: 'test',
    ensurePushed: () => Promise.reject(new Error('nothing is pushed here')),
    log: createLog('test', 'silent'),
  })
  const stop = new AbortController()
  try {
    for await (const it of platform.fingerprint(stop.signal)) return it
  } finally {
    stop.abort()
  }
  throw new Error('it said nothing')
}
const version = (gitVersion: string): Answer => [200, JSON.stringify({ gitVersion })]

describe('[K8S-1.versions] a stand-in for', () => {
  test.each<[string, (path: string) => Answer, RegExp]>([
    [
      'an older cluster',
      () => version('v1.24.17'),
      /^The cluster cannot be used: it is Kubernetes v1\.24\.17, and 1\.30 or later is needed$/,
    ],
    [
      'a cluster that lacks an API',
      (path) => (path === '/version' ? version('v1.34.4') : [404, '404 page not found\n']),
      /does not know what we ask of it: Kubernetes 1\.30 or later is needed/,
    ],
    ['a page of somebody else', () => [200, '<html>hello</html>'], /what answers there is no cluster/],
    ['something that has no version', () => [200, '{}'], /what answers there is no cluster/],
    ['something that finds nothing', () => [404, 'not here'], /does not know what we ask of it/],
    ['something that is out of order', () => [500, 'oh no'], /the cluster answered 500/],
  ])('%s', async (_, answer, words) => {
    expect(await saidOf(answer)).toMatchObject({ usable: false, detail: expect.stringMatching(words) })
  })
})
