/** A real Kubernetes API server with its etcd and nothing else, on loopback: it judges and keeps objects, and nothing comes of them. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/server/testing/server'
import { kubernetesParts } from '../peers/80-kubernetes.ts'
import { call } from './cluster/call.ts'

const READY_MS = 90_000

export interface ApiServer {
  kubeconfig: string
  /** Status, answer and warnings of one call. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<{ status: number; said: string; warnings: string[] }>
  stop(): Promise<void>
}

export async function startApiServer(): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kalnet-api-'))
  const at = (name: string) => join(folder, name)
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()]
  const token = randomBytes(16).toString('hex')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(at('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  await writeFile(at('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const { program } = kubernetesParts()
  let said = ''
  const begin = (...words: string[]) => {
    const child = start(program, words, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000)
      })
    return child
  }
  const [store, others] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const etcd = begin(
    ...['etcd', '--data-dir', at('etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', store, '--advertise-client-urls', store, '--listen-peer-urls', others],
    ...['--initial-advertise-peer-urls', others, '--initial-cluster', `default=${others}`],
  )
  const api = begin(
    ...[
      'kube-apiserver',
      '--etcd-servers',
      store,
      '--bind-address',
      '127.0.0.1',
      '--secure-port',
      String(port),
    ],
    ...['--token-auth-file', at('tokens.csv'), '--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-key-file', at('sa.key'), '--service-account-signing-key-file', at('sa.key')],
    ...[
      '--authorization-mode',
      'RBAC',
      '--cert-dir',
      at('certs'),
      '--service-cluster-ip-range',
      '10.96.0.0/16',
    ],
  )
  const children = [api, etcd]
  async function stop() {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `https://127.0.0.1:${port}`
  let authority = ''
  try {
    const until = Date.now() + READY_MS
    const isReady = async () => {
      authority = await readFile(at('certs/apiserver.crt'), 'utf8')
      return (await call({ url, token, authority }, 'GET', '/readyz')) === 'ok'
    }
    while (!(await isReady().catch(() => false))) {
      if (Date.now() > until || children.some((child) => child.exitCode !== null))
        throw new Error(`the API server is not ready: ${said}`)
      await systemClock.sleep(100)
    }
  } catch (error) {
    await stop()
    throw error
  }
  const encoded = Buffer.from(authority).toString('base64')
  const kubeconfig = at('kubeconfig')
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': encoded } }],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
      'current-context': 'test',
    }),
    { mode: 0o600 },
  )
  return {
    kubeconfig,
    stop,
    ask: (method, path, body, type = 'application/json') =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': type }
        const out = request(
          new URL(path, url),
          { method, ca: authority, agent: false, headers },
          (answer) => {
            let text = ''
            answer.on('data', (piece: Buffer) => {
              text += piece.toString('utf8')
            })
            answer.on('end', () => {
              const warnings = [answer.headersDistinct.warning ?? []].flat()
              resolve({ status: answer.statusCode ?? 0, said: text, warnings })
            })
          },
        )
        out.setTimeout(30_000, () => out.destroy(new Error('no answer')))
        out.on('error', reject)
        out.end(body === undefined ? undefined : JSON.stringify(body))
      }),
  }
}
