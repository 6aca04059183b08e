# Commands for debugging coroutines: gdb -x scripts/coroutines.gdb --args build/dev/bin/deployd serve

define awaiting
  set $frame = _Coro_promise.caller_
  while $frame != 0
    info symbol *(void**)$frame->coro_._M_fr_ptr
    set $frame = $frame->caller_
  end
end
document awaiting
Prints the coroutines that await the current one, innermost first.
The backtrace ends at the event loop instead.
end
