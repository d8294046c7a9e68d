/** Me: who I am, how I get in, where I am signed in, what knows me, how it looks; and signing out. */
import { useMutation } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { Devices } from '../account/devices.tsx'
import { GettingIn } from '../account/getting-in.tsx'
import { leaveHere } from '../account/leave-here.ts'
import { LookCard } from '../account/look.tsx'
import { Profile } from '../account/profile.tsx'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Leave } from '../people/leave.tsx'
import { useMe } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Button } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Frame } from './frame.tsx'
import { LinkedAccounts } from './linked-accounts.tsx'
import { AppPasswords, MyApps } from './my-apps.tsx'
import css from './settings.module.css'

export default function MePage() {
  const me = useMe()
  const signOut = useMutation({
    mutationFn: () => call(ROUTES.identity.signOut),
    onSuccess: leaveHere,
    onError: tellProblem,
  })
  return (
    <Frame
      here="me"
      title={m.meTitle}
      text={m.meText}
      action={
        <Button icon={<LogOut aria-hidden />} isPending={signOut.isPending} onPress={() => signOut.mutate()}>
          {m.signOut}
        </Button>
      }
    >
      <div className={css.columns}>
        <div className={css.stack}>
          <Profile me={me} />
          <LookCard />
        </div>
        <div className={classes(css.stack, css.tall)}>
          <GettingIn />
          <LinkedAccounts />
          <Devices />
        </div>
        <div className={css.stack}>
          <MyApps />
          <AppPasswords />
          <Leave me={me} />
        </div>
      </div>
    </Frame>
  )
}
