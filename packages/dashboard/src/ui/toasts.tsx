/** The region where notices appear: read aloud, kept while hovered or focused, gone by themselves. */
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { useEffect } from 'react'
import { Text } from 'react-aria-components/Text'
import {
  UNSTABLE_Toast as AriaToast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components/Toast'
import * as m from '../messages/index.ts'
import { Button, IconButton } from './button.tsx'
import { classes } from './classes.ts'
import { connectToasts, type Notice } from './toast.ts'
import css from './toasts.module.css'

const SHOWN_MS = 6_000
const queue = new ToastQueue<Notice>({ maxVisibleToasts: 3 })

export default function Toasts() {
  useEffect(() => {
    connectToasts((notice) => void queue.add(notice, { timeout: SHOWN_MS }))
    return () => connectToasts(null)
  }, [])
  return (
    <ToastRegion queue={queue} className={css.region} aria-label={m.notices}>
      {({ toast }) => (
        <AriaToast toast={toast} className={classes(css.toast, css[toast.content.tone])}>
          {toast.content.tone === 'good' ? <CircleCheck aria-hidden /> : <CircleAlert aria-hidden />}
          <ToastContent className={css.words}>
            <Text slot="title">{toast.content.text}</Text>
            {toast.content.more && (
              <Text slot="description" className={css.more}>
                {toast.content.more}
              </Text>
            )}
          </ToastContent>
          {toast.content.action && (
            <Button
              look="plain"
              slot={null}
              onPress={() => {
                toast.content.action?.onPress()
                queue.close(toast.key)
              }}
            >
              {toast.content.action.label}
            </Button>
          )}
          <IconButton label={m.close} slot="close">
            <X aria-hidden />
          </IconButton>
        </AriaToast>
      )}
    </ToastRegion>
  )
}
