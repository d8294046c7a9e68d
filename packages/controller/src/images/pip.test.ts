/** What of this machine's pip settings is passed on to an image's build, and that nothing about its folders is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hostPip, INSIDE, readPipConf } from './pip.ts'

const CONF = `[global]
index-url = https://one.example/simple
# of the house
cert = AUTHORITY
find-links = /opt/wheels
[install]
extra-index-url =
    https://two.example/simple
    https://three.example/simple
[wheel]
index-url = https://never.example/simple
`

test('sections, continued values and comments of pip.conf', () => {
  expect([...readPipConf(CONF)]).toEqual([
    ['index-url', 'https://one.example/simple'],
    ['cert', 'AUTHORITY'],
    ['find-links', '/opt/wheels'],
    ['extra-index-url', 'https://two.example/simple https://three.example/simple'],
  ])
})

test("[TPL-4.host-way] the way to the packages and whom to trust come from the machine's pip, its folders do not", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kalnet-pip-'))
  try {
    const authority = join(folder, 'authority.pem')
    const conf = join(folder, 'pip.conf')
    writeFileSync(authority, 'of this house\n')
    writeFileSync(conf, CONF.replace('AUTHORITY', authority))
    const told = {
      PIP_PROXY: 'http://proxy.example:3128',
      PIP_FIND_LINKS: '/opt/wheels',
      PIP_TARGET: '/opt/x',
    }
    const { environment, certificates } = await hostPip({ HOME: folder, ...told }, [conf])
    expect(certificates).toBe('of this house\n')
    expect(environment).toMatchObject({
      PIP_CONFIG_FILE: '/dev/null',
      PIP_INDEX_URL: 'https://one.example/simple',
      PIP_EXTRA_INDEX_URL: 'https://two.example/simple https://three.example/simple',
      PIP_PROXY: 'http://proxy.example:3128',
      PIP_CERT: INSIDE,
    })
    expect(environment.PIP_FIND_LINKS).toBeUndefined()
    expect(environment.PIP_TARGET).toBeUndefined()
    // The environment counts more than any file.
    const other = await hostPip({ PIP_INDEX_URL: 'https://own.example/simple' }, [conf])
    expect(other.environment.PIP_INDEX_URL).toBe('https://own.example/simple')
    expect((await hostPip({ SSL_CERT_FILE: join(folder, 'none') }, [])).certificates).toBeNull()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
