/** Writes down what is asked of a cluster, in the words of its rights: the verb and the resource. */
import type { Api } from '@kalnet/controller/platforms/kubernetes/api'

/** `/api/v1/namespaces/x/pods/name/log` → pods/log and whether one is named. */
function resourceOf(path: string): { resource: string; isNamed: boolean } {
  const words = path.replace(/^\/(api|apis\/[^/]+)\/[^/]+\//, '').split('/')
  // A namespace itself, or what is in one.
  const [kind = '', name, sub] = words[0] === 'namespaces' && words.length > 2 ? words.slice(2) : words
  // Pods, too, but in another group: what they use.
  const group = path.startsWith('/apis/metrics.k8s.io/') ? '.metrics.k8s.io' : ''
  return { resource: `${sub ? `${kind}/${sub}` : kind}${group}`, isNamed: name !== undefined }
}

/** `asked`: one set for all, or one for each path. */
export function recorded(api: Api, asked: Set<string> | ((path: string) => Set<string>)): Api {
  const note = (path: string, verb: (isNamed: boolean) => string) => {
    if (!path.startsWith('/api')) return
    const { resource, isNamed } = resourceOf(path)
    const set = typeof asked === 'function' ? asked(path) : asked
    set.add(`${verb(isNamed)} ${resource}`)
  }
  const reads = (isNamed: boolean) => (isNamed ? 'get' : 'list')
  return {
    get(path, query) {
      note(path, reads)
      return api.get(path, query)
    },
    text(path, query) {
      note(path, reads)
      return api.text(path, query)
    },
    async apply(path, object) {
      // What is not there yet takes both.
      const answer = await api.apply<never>(path, object)
      const { metadata } = answer as { metadata?: { generation?: number; managedFields?: unknown[] } }
      note(path, () => 'patch')
      if ((metadata?.managedFields?.length ?? 0) <= 1) note(path, () => 'create')
      return answer
    },
    patch(path, changes) {
      note(path, () => 'patch')
      return api.patch(path, changes)
    },
    post(path, object) {
      note(path, () => 'create')
      return api.post(path, object)
    },
    remove(path, options) {
      note(path, () => 'delete')
      return api.remove(path, options)
    },
    watch(path, query, signal) {
      note(path, () => 'watch')
      return api.watch(path, query, signal)
    },
    channels(path, query, protocols, signal) {
      note(path, () => 'get')
      return api.channels(path, query, protocols, signal)
    },
  }
}
