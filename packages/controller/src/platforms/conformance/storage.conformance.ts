/** What every platform must do, IV: what is put into an instance, and what outlives it. */
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { type Fixture, poll, wait } from './fixture.ts'

export function describeStorage(fixture: Fixture): void {
  const { ensure, spec, end, inside, onReal } = fixture
  const volume = (id: string, at: string, readOnly = false) => ({ id, name: 'data', at, readOnly })

  test('[CTL-6.volume-kept] a volume stays when its instance is removed, and goes by its own word alone, not while it is used', async () => {
    const id = newId()
    const it = spec(['sleep', '1000'], { volumes: [volume(id, '/data')] })
    const [first, second] = [await ensure(it), await ensure(it)]
    await fixture.platform.remove(first)
    await expect(fixture.platform.removeVolume?.(id)).rejects.toThrow(/uses the volume/)
    await fixture.platform.remove(second)
    await fixture.platform.removeVolume?.(id)
    await fixture.platform.removeVolume?.(id)
  })

  onReal(
    '[CTL-6.volumes] what one generation wrote the next one reads, wherever it is shown; two instances share it',
    async () => {
      const [id, deep] = [newId(), newId()]
      const volumes = [volume(id, '/data'), { ...volume(deep, '/var/lib/kept/deep'), name: 'deep' }]
      const write =
        'for at in /data /var/lib/kept/deep; do cat $at/kept 2>/dev/null; (umask 077; echo $NAME > $at/kept); done; for at in / /var /var/lib /var/lib/kept /usr; do touch $at/x 2>/dev/null && echo wrote $at; done; ls /var/lib/dpkg | grep -c status'
      const first = await inside(write, { volumes, environment: { NAME: 'first' } })
      expect(first.lines).toEqual([expect.stringMatching(/^\d+$/)])
      const second = await inside(write, { volumes, environment: { NAME: 'second' } })
      expect(second.lines.slice(0, 2)).toEqual(['first', 'first'])
      const reader = await inside('cat /data/kept; touch /data/x 2>/dev/null && echo wrote; true', {
        volumes: [volume(id, '/data', true)],
      })
      expect(reader.lines).toEqual(['second'])
      // Another one's is not to be seen.
      const stranger = await inside('ls -A /data', { volumes: [volume(newId(), '/data')] })
      expect(stranger.lines).toEqual([])
      for (const it of [id, deep]) await fixture.platform.removeVolume?.(it)
      const fresh = await inside('ls -A /data', { volumes: [volume(id, '/data')] })
      expect(fresh.lines).toEqual([])
    },
    60_000,
  )

  test('[SES-1.home-size] one that is there is measured, or what is set aside for it is told; one that is not there is not', async () => {
    const id = newId()
    const { signal } = new AbortController()
    expect(await fixture.platform.measureVolume?.(id, signal)).toBeNull()
    const handle = await ensure(spec(['sleep', '1000'], { volumes: [volume(id, '/data')] }))
    const found = await fixture.platform.measureVolume?.(id, signal)
    const { bytes = null, reservedBytes = null } = found ?? {}
    expect(bytes ?? reservedBytes).toBeGreaterThanOrEqual(0)
    expect(found?.place).toBeTruthy()
    await fixture.platform.remove(handle)
    await fixture.platform.removeVolume?.(id)
    expect(await fixture.platform.measureVolume?.(id, signal)).toBeNull()
  })

  test('[SES-1.home] a volume that was made before is never made anew in silence', async () => {
    const id = newId()
    const home = volume(id, '/home/user')
    const sleeper = spec(['sleep', '1000'], { volumes: [{ ...home, existing: true }] })
    await expect(ensure(sleeper)).rejects.toThrow(/not on its machine any more/)
    await fixture.platform.remove(await ensure(spec(['sleep', '1000'], { volumes: [home] })))
    await fixture.platform.remove(await ensure(sleeper))
    await fixture.platform.removeVolume?.(id)
  })

  onReal('[SES-1.home] a home that is a volume has what was written there before', async () => {
    const id = newId()
    const look = 'cat ~/kept 2>/dev/null; pwd; echo $HOME; echo of $NAME > ~/kept; ls -A ~ | wc -l; true'
    const home = volume(id, '/home/user')
    const first = await inside(look, { volumes: [home], environment: { NAME: 'one' } })
    expect(first.lines).toEqual(['/home/user', '/home/user', '1'])
    const second = await inside(look, {
      volumes: [{ ...home, existing: true }],
      environment: { NAME: 'two' },
    })
    expect(second.lines).toEqual(['of one', '/home/user', '/home/user', '1'])
    await fixture.platform.removeVolume?.(id)
  })

  onReal('[CTL-6.files] files of the spec lie inside, for itself alone and as they are', async () => {
    const content = 'first line\n$(id) "quoted"'
    const { lines } = await inside(
      'stat -L -c "%a %u" /run/kalnet/files/settings.ini; cat /run/kalnet/files/settings.ini; echo; (echo x > /run/kalnet/files/settings.ini) 2>/dev/null && echo wrote; rm -rf /run/kalnet/files 2>/dev/null; ls /run/kalnet/files',
      { files: [{ name: 'settings.ini', content }] },
    )
    const [rights, ...rest] = lines
    // Its own, or the machine's root's and shown to its group alone.
    expect(['400 1000', '440 0']).toContain(rights)
    expect(rest).toEqual(['first line', '$(id) "quoted"', 'settings.ini'])
  })

  onReal(
    '[CTL-6.place] files are placed while it runs; a reader sees the old set or the new one',
    async () => {
      const watching =
        'cd /run/kalnet/identity; until [ -e cert.pem ]; do sleep 0.02; done; cat cert.pem key.pem; until [ "$(cat cert.pem)" = new ]; do sleep 0.02; done; cat key.pem; while [ -L ca.pem ]; do sleep 0.02; done; ls; (echo x > cert.pem) 2>/dev/null && echo wrote; mv /run/kalnet/identity /run/kalnet/x 2>/dev/null && echo moved; true'
      const handle = await ensure(spec(['bash', '-c', watching], { identity: true }))
      const place = (folder: string, files: Record<string, string>) =>
        fixture.platform.place?.(handle, folder, files)
      await place('identity', { 'cert.pem': 'old\n', 'key.pem': 'old\n', 'ca.pem': '' })
      await poll(() => fixture.platform.logs(handle, 9), wait).toEqual(['old', 'old'])
      await place('identity', { 'cert.pem': 'new\n', 'key.pem': 'new\n' })
      await end(handle)
      expect(await fixture.platform.logs(handle, 9)).toEqual(['old', 'old', 'new', 'cert.pem', 'key.pem'])
      await fixture.platform.remove(handle)
      await expect(place('identity', {})).rejects.toThrow(/not running|no folder/)
    },
  )
}
