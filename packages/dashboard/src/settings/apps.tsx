/** Apps that sign people in with their account here, and addresses that only the right people reach. */

import { Guarded } from '../apps/guarded.tsx'
import { AppList } from '../apps/list.tsx'
import * as m from '../messages/index.ts'
import { Frame } from './frame.tsx'

export default function AppsPage() {
  return (
    <Frame here="apps" title={m.settingsApps} text={m.appsText}>
      <AppList />
      <Guarded />
    </Frame>
  )
}
