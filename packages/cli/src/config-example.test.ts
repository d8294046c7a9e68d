/** The example and the published schema say what the configuration really is. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { config } from '@kalnet/contracts/config'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { configExample, configSchema } from './config-example.ts'
import { ROOT } from './tree.ts'

test('[CFG-2.example] the example shows every setting with its meaning, and uncommented it is valid', () => {
  const text = configExample()
  for (const word of ['publicUrl', 'port', 'system', 'perUser']) expect(text).toContain(`${word}:`)
  const uncommented = text
    .split('\n')
    .map((line) => line.replace(/^# ?/, ''))
    // Prose stands behind a second # (or is one of the three first lines); a setting is `name: value`.
    .filter((line) => /^\s*[a-zA-Z]+:( |$)/.test(line) && !/: \S+ .*\.$/.test(line))
    .filter(
      (line) =>
        !/^\s*(publicUrl|url|mail|from|smtpUrl|host|publicHttpsPort|key|keyFile|name|email|authorityFile|token|otlpUrl|otlpHeaders|kubeconfig|context|storageClass|registry|pullSecret|traefikHost|network):$/.test(
          line,
        ) && !line.startsWith('kalnet.yaml'),
    )
    .join('\n')
  expect(config.parse(parse(uncommented))).toEqual(config.parse({}))
})

test('[CFG-2.schema] docs/schema/config.schema.json is the current one', async () => {
  const file = join(ROOT, 'docs/schema/config.schema.json')
  // As data: how it is laid out is the formatter's affair.
  const published: unknown = JSON.parse(await readFile(file, 'utf8'))
  expect(published, 'write it anew: kalnet config schema > docs/schema/config.schema.json').toEqual(
    JSON.parse(JSON.stringify(configSchema())),
  )
})
