/** What is applied to a cluster for a controller of a Kalnet elsewhere: it is the chart's own, keeps to its promises, and says the token once. */
import { type ClusterChoice, clusterChoice } from '@kalnet/contracts/cluster'
import { CLUSTER_RIGHTS, OTHERS_RIGHTS, ROLE_RIGHTS } from '@kalnet/controller/platforms/kubernetes/rights'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { enrolmentFile, enrolmentObjects } from './enrolment.ts'
import { manifests, RESTRICTED } from './objects.ts'
import { clusterValues } from './values.ts'

interface Found {
  kind: string
  type?: string
  metadata: { name: string; namespace?: string; labels?: object; annotations?: object }
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
  spec?: {
    strategy?: object
    template: {
      metadata: { annotations?: object }
      spec: { containers: { args: string[]; env?: object[]; image: string }[]; volumes: object[] }
    }
  }
}
const joining = {
  name: 'Team “one”: $(HOME)',
  url: 'https://house.example:7400',
  fingerprint: 'AA:BB',
  token: 'kce_secret',
}
const made = (choice: Partial<ClusterChoice> = {}, change: object = {}) =>
  enrolmentObjects(clusterChoice.parse(choice), { ...joining, ...change }) as Found[]
const kinds = (all: Found[]) => all.map((it) => it.kind)
const one = (all: Found[], kind: string) => all.find((it) => it.kind === kind)

describe('[K8S-2.enrol] the manifest of a cluster', () => {
  test('is the chart’s own controller, that joins another Kalnet by its own token', () => {
    const values = clusterValues.parse({
      controller: { enabled: true },
      authorityFingerprint: 'AA:BB',
      secret: 'kalnet-joining',
    })
    const chart = manifests(values, { name: 'kalnet', namespace: 'kalnet' }) as unknown as Found[]
    const all = made()
    for (const it of all.filter(({ kind }) => !['Secret', 'Deployment'].includes(kind)))
      expect(chart).toContainEqual(it)
    const theirs = chart.find((it) => it.kind === 'Deployment' && it.metadata.name === 'kalnet-controller')
    const ours = one(all, 'Deployment')
    const { args = [], env = [], ...rest } = ours?.spec?.template.spec.containers[0] ?? {}
    const { args: before = [], env: theirEnv, ...wanted } = theirs?.spec?.template.spec.containers[0] ?? {}
    expect(rest).toEqual(wanted)
    // Less, where the parts of Kalnet beside it are meant, and nothing more.
    for (const variable of env) expect(theirEnv).toContainEqual(variable)
    expect(args.filter((word) => !before.includes(word))).toEqual([joining.url, joining.name])
    expect(ours?.spec?.strategy).toEqual({ type: 'Recreate' })
  })

  test('makes namespaces first, of the restricted profile, and keeps its key on a volume', () => {
    const all = made()
    expect(kinds(all).slice(0, 3)).toEqual(['Namespace', 'Namespace', 'Secret'])
    for (const it of all.filter(({ kind }) => kind === 'Namespace'))
      expect(it.metadata.labels).toMatchObject(RESTRICTED)
    expect(kinds(all)).toContain('PersistentVolumeClaim')
    const volumes = one(all, 'Deployment')?.spec?.template.spec.volumes
    expect(volumes).toContainEqual({
      name: 'home',
      persistentVolumeClaim: { claimName: 'kalnet-controller' },
    })
    const forgetful = made({ keeps: false })
    expect(kinds(forgetful)).not.toContain('PersistentVolumeClaim')
    expect(one(forgetful, 'Deployment')?.spec?.template.spec.volumes).toContainEqual({
      name: 'home',
      emptyDir: { sizeLimit: '1Gi' },
    })
  })

  test('has the token in its Secret and nowhere else; another token is another start', () => {
    const text = enrolmentFile(clusterChoice.parse({}), joining)
    expect(text.split('kce_secret')).toHaveLength(2)
    expect(one(made(), 'Secret')).toMatchObject({ stringData: { 'controller-token': 'kce_secret' } })
    const word = (token: string) =>
      one(made({}, { token }), 'Deployment')?.spec?.template.metadata.annotations
    expect(word('a')).not.toEqual(word('b'))
    expect(word('a')).toEqual(word('a'))
  })

  const rights = (all: Found[], kind: string) =>
    one(all, kind)?.rules?.flatMap(({ resources, verbs }) => verbs.map((verb) => `${verb} ${resources[0]}`))
  const words = (list: typeof ROLE_RIGHTS) =>
    list.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`))
  test.each<[string, Partial<ClusterChoice>, readonly (typeof ROLE_RIGHTS)[number][] | null]>([
    ['usually', {}, CLUSTER_RIGHTS],
    ['without machines', { readMachines: false }, null],
    ['with pods of others', { readPods: true }, [...CLUSTER_RIGHTS, ...OTHERS_RIGHTS]],
    [
      'with pods of others needs machines',
      { readMachines: false, readPods: true },
      [...CLUSTER_RIGHTS, ...OTHERS_RIGHTS],
    ],
  ])('gives %s exactly the rights of the driver’s table', (_, choice, everywhere) => {
    expect(rights(made(choice), 'Role')).toEqual(words(ROLE_RIGHTS))
    expect(rights(made(choice), 'ClusterRole')).toEqual(everywhere ? words(everywhere) : undefined)
  })

  test('[K8S-1.spaces] with a namespace for each organisation has what that needs, and the controller is told', () => {
    const SPACES = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding']
    for (const kind of SPACES) expect(kinds(made())).not.toContain(kind)
    const values = clusterValues.parse({
      controller: { enabled: true, readMachines: false },
      instances: { namespace: 'place-instances', perOrganisation: true },
    })
    const chart = manifests(values, { name: 'kalnet', namespace: 'place' }) as unknown as Found[]
    const beside = chart.filter(({ kind }) => /^(ClusterRole|Validating)/.test(kind))
    expect(kinds(beside).sort()).toEqual(['ClusterRole', 'ClusterRole', 'ClusterRoleBinding', ...SPACES])
    for (const outside of [false, true]) {
      const all = made({ namespace: 'place', perOrganisation: true, readPods: true, outside })
      for (const it of beside) expect(all).toContainEqual(it)
      const own = all.find((it) => it.kind === 'ClusterRole' && it.metadata.name.endsWith('controller'))
      expect(own?.rules?.flatMap(({ resources }) => resources)).toContain('pods')
    }
    const told = (choice: Partial<ClusterChoice>) =>
      one(made(choice), 'Deployment')?.spec?.template.spec.containers[0]?.env
    const says = { name: 'KALNET_KUBERNETES_NAMESPACES', value: 'per-organisation' }
    expect(told({ perOrganisation: true })).toContainEqual(says)
    expect(told({})).not.toContainEqual(says)
  })

  test('for one that runs elsewhere is its account, rights and a token of the cluster, and no program', () => {
    const all = made({ outside: true, namespace: 'place' })
    expect(kinds(all)).not.toContain('Deployment')
    expect(kinds(all)).not.toContain('PersistentVolumeClaim')
    expect(one(all, 'Secret')).toMatchObject({
      type: 'kubernetes.io/service-account-token',
      metadata: {
        namespace: 'place',
        annotations: { 'kubernetes.io/service-account.name': 'kalnet-controller' },
      },
    })
    expect(enrolmentFile(clusterChoice.parse({ outside: true }), joining)).not.toContain('kce_')
    // The wall that nobody passes before an instance has its own.
    expect(all).toContainEqual(
      expect.objectContaining({
        kind: 'NetworkPolicy',
        metadata: expect.objectContaining({ name: 'nobody' }),
      }),
    )
  })

  test('is YAML whose names stay names, whatever they are called', () => {
    const text = enrolmentFile(clusterChoice.parse({}), { ...joining, name: 'a: b\n- c "d" #' })
    const deployment = parseAllDocuments(text)
      .map((it) => it.toJS() as Found)
      .find(({ kind }) => kind === 'Deployment')
    expect(deployment?.spec?.template.spec.containers[0]?.args).toContain('a: b\n- c "d" #')
  })

  test('puts instances in no namespace of the controller’s own', () => {
    expect(() => made({ namespace: 'x', instances: 'x' })).toThrow(/not the controller’s/)
    expect(clusterChoice.safeParse({ namespace: 'Kal net' }).success).toBe(false)
    expect(clusterChoice.safeParse({ url: 'javascript:alert(1)' }).success).toBe(false)
  })
})
