/** What the tests of enrolling a cluster share: a control plane that writes manifests, applying them, and the account that comes of it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enrolmentFile } from '@kalnet/cli/render/kubernetes/enrolment'
import { config as configSchema } from '@kalnet/contracts/config'
import { referenceOf } from '@kalnet/controller/images/described'
import { testDatabase } from '@kalnet/server/core/testing'
import { createServer } from '@kalnet/server/server'
import { askAt, freePort } from '@kalnet/server/testing/server'
import { expect } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Cluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { chain, log } from './subject.ts'

export const LIMIT_MS = 120_000
interface Found {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}
const PLURALS: Record<string, string> = {
  NetworkPolicy: 'networkpolicies',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
}
const pathOf = ({ apiVersion, kind, metadata }: Found) => {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = metadata.namespace ? `/namespaces/${metadata.namespace}` : ''
  return `${group}${within}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`
}
/** As `kubectl apply --server-side` does. */
export async function applyYaml(cluster: Cluster, text: string, more = ''): Promise<void> {
  for (const document of parseAllDocuments(text)) {
    const it = document.toJS() as Found
    const query = `fieldManager=kubectl&fieldValidation=Strict${more}`
    await cluster.call('PATCH', `${pathOf(it)}?${query}`, it, 'application/apply-patch+yaml')
  }
}

/** Of the account that the manifest made, by the token that the cluster made for it; a file. */
export async function kubeconfigOf(cluster: Cluster, namespace: string, folder: string): Promise<string> {
  let token = ''
  await eventually(
    'the cluster has made the token',
    async () => {
      const path = `/api/v1/namespaces/${namespace}/secrets/kalnet-controller-token`
      const { data } = await cluster.call<{ data?: { token?: string } }>('GET', path)
      token = Buffer.from(data?.token ?? '', 'base64').toString()
      return token !== ''
    },
    LIMIT_MS,
  )
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, cluster.kubeconfigFor(token), { mode: 0o600 })
  return kubeconfig
}

const TEMPLATE = `id: quiet
version: 1.0.0
name: Quiet
summary: A screen with a shell
category: tools
licence: MIT
kind: session
image: { reference: '${referenceOf(chain)}' }
platforms: [kubernetes]
network: none
command: [/usr/lib/kalnet/session, xterm, -name, XTerm]
`

export async function openPlane() {
  const home = await mkdtemp(join(tmpdir(), 'kn-enrol-'))
  const database = await testDatabase()
  const port = await freePort()
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const config = configSchema.parse({ listen: { port }, gateway: { enabled: false } })
  const catalogFolder = join(home, 'catalog')
  const template = join(catalogFolder, 'templates/quiet')
  await mkdir(template, { recursive: true })
  await writeFile(join(template, 'template.yaml'), TEMPLATE)
  await writeFile(join(template, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  const server = await createServer({
    catalogFolder,
    config,
    folders,
    log,
    databaseUrl: database.url,
    manifest: enrolmentFile,
  })
  await server.listen()
  const socketPath = join(folders.runtime, 'control.sock')
  const ask = (method: string, path: string, body?: object) =>
    askAt({ socketPath }, method, path, { local: true, body })
  const link = await server.identity.claims.issue()
  const claimed = await askAt({ port }, 'POST', '/api/claim', {
    body: {
      token: link?.url.split('#')[1],
      name: 'Ada',
      email: 'ada@example.org',
      password: 'correct horse battery',
      organisationName: 'Home',
    },
  })
  expect(claimed.status).toBe(200)
  return {
    url: `http://127.0.0.1:${port}`,
    home,
    ask,
    async close() {
      await server.close()
      await database.drop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
