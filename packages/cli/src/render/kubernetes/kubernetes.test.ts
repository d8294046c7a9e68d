/** Kalnet on a cluster: what is written down is current, and every object keeps to what was promised, whatever is chosen. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROLE_RIGHTS } from '@kalnet/controller/platforms/kubernetes/rights'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { cli, NO_HOME, temporaryHome } from '../../testing.ts'
import { ROOT, VERSION } from '../../tree.ts'
import { chartFiles, withTable } from './chart.ts'
import { fill, text, when, whole } from './nodes.ts'
import { manifests } from './objects.ts'
import { plainFile } from './plain.ts'
import { template } from './template.ts'
import { CHOICES } from './testing.ts'
import { clusterValues } from './values.ts'

const release = { name: 'kalnet', namespace: 'kalnet' }
const AGAIN = 'node packages/cli/src/render/kubernetes/write-chart.ts'

test('[K8S-2.one-source] the chart, the manifests and the table of values in the documents are current', async () => {
  const at = (path: string) => readFile(join(ROOT, path), 'utf8').catch(() => '')
  for (const [name, content] of Object.entries(chartFiles(VERSION)))
    expect(await at(`deploy/chart/kalnet/${name}`), AGAIN).toBe(content)
  expect(await at('deploy/kubernetes/kalnet.yaml'), AGAIN).toBe(plainFile({}, release))
  const page = await at('docs/kubernetes-install.md')
  expect(page, AGAIN).toBe(withTable(page))
})

interface Pod {
  automountServiceAccountToken?: boolean
  serviceAccountName: string
  securityContext: { runAsNonRoot: boolean; runAsUser: number; seccompProfile: { type: string } }
  containers: {
    name: string
    image: string
    securityContext: object
    resources: object
    env?: { name: string; value?: string }[]
  }[]
  volumes: object[]
}
interface Found {
  kind: string
  metadata: { name: string; namespace?: string; labels: Record<string, string> }
  rules?: object[]
  spec: {
    template: { metadata: { labels: Record<string, string> }; spec: Pod }
    podSelector?: { matchLabels?: Record<string, string> }
  }
}

describe.each(Object.entries(CHOICES))('with %s', (_, given) => {
  const values = clusterValues.parse(given)
  const all = manifests(values, release) as unknown as Found[]
  const workloads = all.filter((it) => ['Deployment', 'StatefulSet'].includes(it.kind))

  test('[K8S-2.restricted] every pod is of the restricted profile, reads its root only, and has limits', () => {
    expect(workloads.length).toBeGreaterThan(0)
    for (const { spec } of workloads) {
      const pod = spec.template.spec
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(pod.securityContext.runAsUser).toBeGreaterThan(0)
      for (const one of pod.containers) {
        expect(one.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(one.resources).toHaveProperty('limits.memory')
      }
      expect(JSON.stringify(pod.volumes)).not.toMatch(/hostPath|nfs/)
    }
  })

  test('[K8S-2.tokens] only the controller has an account of the cluster, with the rights of its driver, among instances only', () => {
    for (const { spec, metadata } of workloads) {
      const isController = metadata.name === 'kalnet-controller'
      expect(spec.template.spec.automountServiceAccountToken).toBe(isController)
    }
    for (const role of all.filter((it) => it.kind === 'Role' || it.kind === 'RoleBinding'))
      expect(role.metadata.namespace).toBe(values.instances.namespace)
    const role = all.find((it) => it.kind === 'Role')
    expect(role?.rules ?? null).toEqual(
      values.controller.enabled
        ? ROLE_RIGHTS.map(({ group, resource, verbs }) => ({
            apiGroups: [group],
            resources: [resource],
            verbs,
          }))
        : null,
    )
  })

  test('[K8S-2.walls] every part has a wall of its own', () => {
    const walls = all
      .filter((it) => it.kind === 'NetworkPolicy')
      .map((it) => it.spec.podSelector?.matchLabels)
    const wanted = workloads.map((it) => it.spec.template.metadata.labels)
    if (values.networkPolicies) for (const labels of wanted) expect(walls).toContainEqual(labels)
    else expect(walls).toEqual([])
  })

  test('[K8S-2.no-secrets] no password stands in it', () => {
    for (const one of workloads.flatMap((it) => it.spec.template.spec.containers))
      for (const { name, value } of one.env ?? [])
        if (/PASSWORD|TOKEN|KEY$/.test(name)) expect(value, name).toBeUndefined()
    expect(all.some((it) => it.kind === 'Secret')).toBe(false)
  })
})

test('every value has an effect somewhere', () => {
  const used = Object.entries(chartFiles(VERSION)).flatMap(([name, content]) =>
    name.startsWith('templates/')
      ? [...content.matchAll(/\.Values\.([\w.]+)/g)].map((it) => it[1] ?? '')
      : [],
  )
  const paths = (value: unknown, before: string): string[] =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !/resources$|environment$/.test(before)
      ? Object.entries(value).flatMap(([key, inner]) => paths(inner, before ? `${before}.${key}` : key))
      : [before]
  expect(paths(clusterValues.parse({}), '').filter((path) => !used.includes(path))).toEqual([])
})

test('holes are filled or written: text, whole values, conditions', () => {
  const node = {
    name: text`${'release.name'}-100%-${'a.b'}`,
    list: whole('a.list'),
    there: when('a.b', 1),
    not: when(['!a.list', 'a.b'], when('a.b', { deep: 'x' })),
    items: [when('a.b', 'one'), when('!a.b', 'two')],
  }
  const around = { values: { a: { b: 'x', list: [] } }, release }
  expect(fill(node, around)).toEqual({
    name: 'kalnet-100%-x',
    list: [],
    there: 1,
    not: { deep: 'x' },
    items: ['one'],
  })
  expect(template(node)).toContain(
    'name: {{ printf "%s-100%%-%s" (toString .Release.Name) (toString .Values.a.b) | quote }}',
  )
  expect(() => fill(text`${'a.none'}`, around)).toThrow(/no value a\.none/)
})

describe('kalnet render --kubernetes', () => {
  let it = NO_HOME
  beforeEach(async () => {
    it = await temporaryHome()
  })
  afterEach(() => it.remove())
  const render = async (values: string, ...more: string[]) => {
    const file = join(it.home, 'values.yaml')
    await writeFile(file, values)
    return cli(it.home, 'render', '--kubernetes', '--values', file, ...more)
  }

  test('[K8S-2.render] prints or writes manifests, once', async () => {
    const printed = await render('domain: house.example\n', '--print', '--namespace', 'house')
    expect(printed.code).toBe(0)
    const kinds = parseAllDocuments(printed.out).map((one) => one.toJS().kind)
    expect(kinds.slice(0, 3)).toEqual(['Namespace', 'Namespace', 'ServiceAccount'])
    expect(printed.out).toContain('https://house.example')
    const first = await render('', '--to', it.home, '--json')
    const second = await render('', '--to', it.home, '--json')
    expect([first, second].map((one) => JSON.parse(one.out).files[0].changed)).toEqual([true, false])
  })

  test.each([
    ['domian: x', /domian/],
    ['gateway: {replicas: 0}', /gateway\.replicas/],
    ['image: [', /not YAML/],
    ['environment: {LD_PRELOAD: x}', /environment/],
  ])('[K8S-2.values] %s is refused in words', async (values, words) => {
    const { code, err } = await render(values)
    expect([code, err]).toEqual([2, expect.stringMatching(words)])
  })
})
