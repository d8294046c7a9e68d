/** What closes programs cannot be undone: say exactly what is lost, and what is kept. */
import type { Session } from '@kalnet/contracts/session'
import * as m from '../messages/index.ts'
import { Confirm } from '../ui/dialog.tsx'
import { useRestart, useSleep, useStop } from './actions.ts'

export type Ending = 'stop' | 'restart' | 'sleep'
interface ConfirmEndingProps {
  session: Session
  ending: Ending
  onClose: () => void
  onDone?: () => void
}

export default function ConfirmEnding({ session, ending, onClose, onDone }: ConfirmEndingProps) {
  const stop = useStop()
  const restart = useRestart()
  const sleep = useSleep()
  const { work, title, text, action } = {
    stop: {
      work: stop,
      title: m.stopTitle,
      text: session.keepsHome ? `${m.stopText} ${m.stopKeepsNothing}` : m.stopText,
      action: m.stop,
    },
    restart: { work: restart, title: m.restartTitle, text: m.restartText, action: m.restart },
    sleep: { work: sleep, title: m.sleepTitle, text: m.sleepText, action: m.putToSleep },
  }[ending]
  return (
    <Confirm
      title={title(session.name)}
      text={text}
      action={action}
      look={ending === 'sleep' ? 'primary' : 'danger'}
      pending={work.isPending}
      onClose={onClose}
      onConfirm={() =>
        work.mutate(session, {
          onSuccess: () => onDone?.(),
          onSettled: onClose,
        })
      }
    />
  )
}
