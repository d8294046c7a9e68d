/** Kalnet on a cluster, as helm and a real API server see it: the chart is the manifests, and every object is taken where the restricted profile is enforced. */
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manifests, RESTRICTED } from '@kalnet/cli/render/kubernetes/objects'
import { CHOICES } from '@kalnet/cli/render/kubernetes/testing'
import { clusterValues } from '@kalnet/cli/render/kubernetes/values'
import { ROOT } from '@kalnet/cli/tree'
import { must, run } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { helmProgram } from '../peers/77-helm.ts'
import { type ApiServer, startApiServer } from '../support/api-server.ts'
import { lacking } from '../support/parts.ts'

const CHART = join(ROOT, 'deploy/chart/kalnet')
const skippedHelm = await lacking(['helm'], 'that the chart is right and the same as the manifests')
const skippedApi = await lacking(['helm', 'kubernetes'], 'that a real API server takes every object of ours')
const folder = mkdtempSync(join(tmpdir(), 'kalnet-chart-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Found {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: object }
  spec?: { template?: { metadata: object; spec: { serviceAccountName: string } } }
}
const nameOf = (it: Found) => `${it.kind} ${it.metadata.namespace ?? ''} ${it.metadata.name}`
const sorted = (all: Found[]) => all.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
const release = { name: 'house', namespace: 'home' }
const ours = (given: object) => manifests(clusterValues.parse(given), release) as Found[]

async function valuesFile(given: object): Promise<string> {
  const file = join(folder, 'values.yaml')
  await writeFile(file, stringify(given))
  return file
}
const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder }
const helm = (...words: string[]) => must(helmProgram(), words, { env, timeoutMs: 60_000 })

describe.skipIf(skippedHelm)('helm', () => {
  test.each(Object.entries(CHOICES))(
    '[K8S-2.chart] with %s the chart gives what the manifests are',
    async (_, given) => {
      const values = await valuesFile(given)
      await helm('lint', '--strict', CHART, '--values', values)
      const { name, namespace } = release
      const words = [
        'template',
        name,
        CHART,
        '--namespace',
        namespace,
        '--values',
        values,
        '--kube-version',
        '1.34.0',
      ]
      const { stdout } = await must(helmProgram(), words, { env, timeoutMs: 60_000 })
      const theirs = parseAllDocuments(stdout).map((one) => one.toJS() as Found | null)
      const [, ...wanted] = ours(given)
      expect(sorted(theirs.filter((it) => it !== null))).toEqual(sorted(wanted))
    },
  )

  test('[K8S-2.values] a value that there is not is refused by helm, too', async () => {
    const refused = await run(helmProgram(), ['lint', CHART, '--set', 'domian=x'], { env })
    expect(refused.code).toBe(1)
    expect(refused.stdout + refused.stderr).toMatch(/domian/)
  })
})

const PLURALS: Record<string, string> = { NetworkPolicy: 'networkpolicies' }
function pathOf({ apiVersion, kind, metadata }: Found): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = metadata.namespace ? `/namespaces/${metadata.namespace}` : ''
  return `${group}${within}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}`
}

describe.skipIf(skippedApi)('a real API server', () => {
  let api: ApiServer
  beforeAll(async () => {
    api = await startApiServer()
  }, 120_000)
  afterAll(() => api?.stop())

  const apply = (it: Found) =>
    api.ask(
      'PATCH',
      `${pathOf(it)}/${it.metadata.name}?fieldManager=test&fieldValidation=Strict`,
      it,
      'application/apply-patch+yaml',
    )

  test.each(Object.entries(CHOICES))(
    '[K8S-2.dry-run] with %s every object is taken, and every pod of it',
    async (_, given) => {
      const all = ours(given)
      const elsewhere: Found = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'elsewhere', labels: RESTRICTED },
      }
      for (const it of [elsewhere, ...all]) {
        const { status, said, warnings } = await apply(it)
        expect([status < 300, warnings, status < 300 ? '' : said], nameOf(it)).toEqual([true, [], ''])
      }
      const templates = all.flatMap((it) => (it.spec?.template ? [it.spec.template] : []))
      expect(templates.length).toBeGreaterThan(0)
      for (const { metadata, spec } of templates) {
        const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, generateName: 'x-' }, spec }
        const { status, said } = await api.ask(
          'POST',
          '/api/v1/namespaces/home/pods?dryRun=All&fieldValidation=Strict',
          pod,
        )
        expect([status, status === 201 ? '' : said]).toEqual([201, ''])
      }
    },
  )

  test('a pod with one right too many is not taken there: the profile is enforced', async () => {
    const [template] = ours({}).flatMap((it) => (it.spec?.template ? [it.spec.template] : []))
    const spec = { ...template?.spec, hostNetwork: true }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec }
    const { status, said } = await api.ask('POST', '/api/v1/namespaces/home/pods?dryRun=All', pod)
    expect([status, said]).toEqual([403, expect.stringMatching(/violates PodSecurity/)])
  })

  test('[K8S-2.helm-life] helm installs, upgrades, goes back and takes away', async () => {
    const at = ['--namespace', 'byhelm', '--kubeconfig', api.kubeconfig]
    const choice = { instances: { namespace: 'byhelm-instances' } }
    const gateways = async () =>
      JSON.parse((await api.ask('GET', '/apis/apps/v1/namespaces/byhelm/deployments')).said).items.map(
        (it: Found) => it.metadata.name,
      )
    await helm('install', 'kalnet', CHART, ...at, '--create-namespace', '--values', await valuesFile(choice))
    expect(await gateways()).toEqual(['kalnet-control-plane'])
    const more = await valuesFile({ ...choice, gateway: { enabled: true }, controller: { enabled: true } })
    await helm('upgrade', 'kalnet', CHART, ...at, '--values', more)
    expect(await gateways()).toEqual(['kalnet-control-plane', 'kalnet-controller', 'kalnet-gateway'])
    await helm('rollback', 'kalnet', '1', ...at)
    expect(await gateways()).toEqual(['kalnet-control-plane'])
    await helm('uninstall', 'kalnet', ...at, '--cascade', 'orphan')
    expect(await gateways()).toEqual([])
  })
})
