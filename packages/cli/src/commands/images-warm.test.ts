/** `kalnet images warm` where it cannot: each time a sentence and what to do. On a real cluster: test/kubernetes/warm.real.test.ts. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { folders } from '@kalnet/io/folders'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let it = NO_HOME
beforeEach(async () => {
  it = await temporaryHome()
})
afterEach(() => it.remove())

const registry = 'registry: http://127.0.0.1:9'
test.each([
  ['', 4, /No cluster is configured/],
  ['kubernetes: {enabled: true}', 4, /No registry is configured/],
  [
    `kubernetes: {enabled: true, ${registry}, kubeconfig: /nowhere}`,
    1,
    /The cluster cannot be asked: .*\/nowhere/,
  ],
  [`kubernetes: {enabled: true, ${registry}, warm: [Terminal]}`, 2, /kubernetes\.warm/],
])('[CTL-5.warm-command] with %s it says what is missing', async (text, code, words) => {
  const file = join(folders({ KALNET_HOME: it.home }).config, 'kalnet.yaml')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${text}\n`)
  const done = await cli(it.home, 'images', 'warm')
  expect([done.err, done.code]).toEqual([expect.stringMatching(words), code])
})
