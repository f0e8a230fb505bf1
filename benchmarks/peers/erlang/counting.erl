%% One producer sends to a counter, then asks it for the total.
-module(counting).
-export([start/0]).

start() ->
    Messages = stage:start_clock(stage:scaled(5000000)),
    Counter = spawn_link(fun() -> count(0) end),
    spawn_link(fun() -> produce(Counter, 0, Messages) end).

count(Count) ->
    receive
        {number, Number} ->
            Number = Count,
            count(Count + 1);
        {get_total, From} ->
            From ! {total, Count}
    end.

produce(Counter, Messages, Messages) ->
    Counter ! {get_total, self()},
    receive {total, Total} -> Total = Messages end,
    stage:finish();
produce(Counter, Sent, Messages) ->
    Next = send_numbers(Counter, Sent, min(Sent + stage:sends_per_turn(), Messages)),
    self() ! produce,
    receive produce -> produce(Counter, Next, Messages) end.

send_numbers(_Counter, End, End) -> End;
send_numbers(Counter, Number, End) ->
    Counter ! {number, Number},
    send_numbers(Counter, Number + 1, End).
