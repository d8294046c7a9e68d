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
  spec?: {
    template?: { metadata: object; spec: { volumes: object[] } }
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
}
const nameOf = (it: Found) => `${it.kind} ${it.metadata.namespace ?? ''} ${it.metadata.name}`
const sorted = (all: Found[]) => all.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
const release = { name: 'house', namespace: 'home' }
const ours = (given: object, it = release) => manifests(clusterValues.parse(given), it) as Found[]
/** As the cluster makes pods of it: claims become volumes. */
const podOf = ({ spec }: Found) =>
  spec?.template && {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...spec.template.metadata, generateName: 'x-' },
    spec: {
      ...spec.template.spec,
      volumes: [
        ...spec.template.spec.volumes,
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
          name,
          persistentVolumeClaim: { claimName: name },
        })),
      ],
    },
  }

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

const PLURALS: Record<string, string> = {
  NetworkPolicy: 'networkpolicies',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
}
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

  /** Kept for real: nothing comes of it here, and each lot has namespaces of its own. */
  const tried = (pod: object, namespace: string) =>
    api.ask('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`, pod)

  test.each(Object.entries(CHOICES).map(([what, given], index) => [what, given, `home-${index}`] as const))(
    '[K8S-2.dry-run] with %s every object is taken, and every pod of it',
    async (_, given, namespace) => {
      const all = ours(given, { name: 'house', namespace })
      const elsewhere = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'elsewhere', labels: RESTRICTED },
      }
      const take = async (it: Found) => {
        const { status, said, warnings } = await apply(it)
        expect([status < 300 ? '' : said, warnings], nameOf(it)).toEqual(['', []])
      }
      for (const it of [elsewhere, ...all])
        if (it.kind === 'Namespace' || it.kind === 'ServiceAccount') await take(it)
      await Promise.all(all.map(take))
      const pods = all.flatMap((it) => podOf(it) ?? [])
      expect(pods.length).toBeGreaterThan(0)
      for (const pod of pods) {
        const { status, said } = await tried(pod, namespace)
        expect([status, status === 201 ? '' : said]).toEqual([201, ''])
        // One right too many, and it is not taken: the profile is enforced there.
        const bold = await tried({ ...pod, spec: { ...pod.spec, hostPID: true } }, namespace)
        expect([bold.status, bold.said]).toEqual([403, expect.stringMatching(/violates PodSecurity/)])
      }
    },
  )

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
    await helm('uninstall', 'kalnet', ...at)
    expect(await gateways()).toEqual([])
  })
})
