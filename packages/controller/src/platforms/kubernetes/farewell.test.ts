/** Pods that are going, gone or on a silent machine, and what is said of them, as tables; no cluster is needed. */
import type { V1Pod, V1PodCondition } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { InstanceLost } from '../away.ts'
import { farewellOf, lastWord, standingOf, takenInWords } from './farewell.ts'
import { refusalInWords, waitingOf } from './observation.ts'
import { versionProblem } from './versions.ts'

const condition = (type: string, status: string, reason?: string): V1PodCondition => ({
  type,
  status,
  reason,
})
const status = (state: object) => ({
  name: 'instance',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
})
const pod = (state: object, conditions: V1PodCondition[] = [], metadata: object = {}): V1Pod => ({
  metadata,
  spec: { containers: [], nodeName: 'm1' },
  status: { conditions, containerStatuses: [status(state)] },
})
const running = { running: { startedAt: new Date('2026-01-02T03:00:00Z') } }
const ended = (exitCode: number, at = '2026-01-02T03:04:00Z') => ({
  terminated: { exitCode, reason: 'Error', finishedAt: new Date(at) },
})
const asked = { deletionTimestamp: new Date('2026-01-02T03:04:05Z'), deletionGracePeriodSeconds: 5 }
const evicted = condition('DisruptionTarget', 'True', 'EvictionByEvictionAPI')

describe('[K8S-1.farewell] the last word about a pod', () => {
  test.each<[string, V1Pod, object]>([
    [
      'evicted: why, also where its program took it for a wish to end',
      pod(ended(0), [evicted], asked),
      { state: 'ended', code: null, reason: 'Its machine m1 is being cleared, and it had to leave' },
    ],
    [
      'evicted, and killed in the end',
      pod(ended(137), [evicted], asked),
      { code: 137, reason: /is being cleared/ },
    ],
    ['evicted before it began', pod({}, [evicted], asked), { state: 'ended', code: null }],
    ['taken away without a word', pod(ended(137), [], asked), { state: 'gone' }],
    ['ended by itself before that', lastWord(pod(ended(3)), pod(ended(3), [], asked)), { code: 3 }],
    ['ended because it was asked to', lastWord(pod(running), pod(ended(143), [], asked)), { state: 'gone' }],
    ['ended, and told only afterwards', pod(ended(3)), { code: 3, reason: 'Its program ended with code 3' }],
    ['never seen to end', pod(running), { state: 'gone' }],
  ])('%s', (_, last, observation) => {
    const { reason, ...rest } = observation as { reason?: string | RegExp }
    const found = farewellOf(last)
    expect(found).toMatchObject(rest)
    if (reason) expect('reason' in found && found.reason).toMatch(reason)
  })

  test.each([
    ['PreemptionByScheduler', /make room/],
    ['DeletionByTaintManager', /m1 does not take it any more/],
    ['DeletionByPodGC', /m1 is not in the cluster any more/],
  ])('%s', (reason, words) =>
    expect(takenInWords(pod({}, [condition('DisruptionTarget', 'True', reason)]))).toMatch(words),
  )
})

test('[K8S-1.farewell] one that is still there, and ended because it goes, says who wanted that', () => {
  expect(standingOf(pod(ended(137), [evicted], asked))).toMatchObject({
    code: 137,
    reason: expect.stringMatching(/is being cleared/),
  })
  expect(standingOf(pod(ended(0), [evicted], asked))).toMatchObject({
    code: null,
    reason: expect.stringMatching(/is being cleared/),
  })
  expect(standingOf(pod(ended(143), [], asked))).toMatchObject({ reason: 'It was removed from outside' })
  expect(standingOf(pod(ended(3)))).toMatchObject({ code: 3, reason: 'Its program ended with code 3' })
})

describe('[K8S-1.silent-machine] a pod whose machine is silent', () => {
  const silent = [condition('Ready', 'False'), condition('ContainersReady', 'True')]
  test('runs as far as is known, and that is said', () => {
    expect(standingOf(pod(running, silent))).toMatchObject({
      state: 'running',
      doubt: /Its machine m1 does not answer/,
    })
    expect(standingOf(pod(running, [condition('Ready', 'True')]))).not.toHaveProperty('doubt')
    // Its program is not ready, and its machine says so.
    const unready = [condition('Ready', 'False'), condition('ContainersReady', 'False')]
    expect(standingOf(pod(running, unready))).not.toHaveProperty('doubt')
  })
  test('is lost when the cluster gave it up', () => {
    expect(() => standingOf(pod(running, silent, asked))).toThrow(InstanceLost)
    expect(() => standingOf(pod(running, silent, asked))).toThrow(/m1 did not answer for so long/)
  })
})

test.each([
  ['v1.34.4', null],
  ['v1.30.0', null],
  ['v1.31.5+k3s1', null],
  ['v2.0.0', null],
  ['v1.29.3-gke.100', 'it is Kubernetes v1.29.3-gke.100, and 1.30 or later is needed'],
  ['v1.9.0', 'it is Kubernetes v1.9.0, and 1.30 or later is needed'],
  ['', 'what answers there is no cluster, or does not say its version'],
  ['<html>', 'what answers there is no cluster, or does not say its version'],
])('[K8S-1.versions] version %j', (version, problem) => expect(versionProblem(version)).toBe(problem))

test.each([
  ['the server could not find the requested resource'],
  ['404 page not found'],
  ['the cluster answered 404'],
])('[K8S-1.versions] an API that is not there: %s', (message) =>
  expect(refusalInWords(404, message)).toMatch(/Kubernetes 1\.30 or later is needed/),
)

test.each([
  ['failed to pull: x@sha256:0: not found', /there is no such image/],
  [
    'pull access denied, repository does not exist or may require authorization',
    /does not let the machine in/,
  ],
  ['failed to authorize: 401 Unauthorized', /does not let the machine in/],
  ['dial tcp 127.0.0.1:1: connect: connection refused', /does not answer/],
  ['lookup registry.test: no such host', /does not answer/],
  [
    `Back-off pulling image "127.0.0.1:24031/x:1": ErrImagePull: ${'failed to pull '.repeat(30)}: dial tcp`,
    /does not answer/,
  ],
  ['tls: failed to verify certificate: x509: unknown authority', /no certificate that the machine trusts/],
  ['something new', /cannot be fetched: something new/],
])('[K8S-1.reasons] an image that cannot be fetched: %s', (message, words) =>
  expect(waitingOf(pod({ waiting: { reason: 'ImagePullBackOff', message } }))?.text).toMatch(words),
)
