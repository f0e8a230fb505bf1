%% Eight producers send to one sink.
%%
%% The idiom differs: the sink adds up the numbers. To keep the last one of each
%% producer it would build a new tuple or map for each message. Its queue is off
%% its heap, as is advised for a process that many send to; that doubles the speed
%% with two schedulers. With one sender, counting is slower by that.
-module(fanin).
-export([start/0]).

-define(PRODUCERS, 8).

start() ->
    Each = stage:scaled(1000000),
    Items = stage:start_clock(?PRODUCERS * Each),
    Sum = ?PRODUCERS * (Each * (Each - 1) div 2),
    Sink = spawn_opt(fun() -> drain(Items, 0, Sum) end,
                     [link, {message_queue_data, off_heap}]),
    [spawn_link(fun() -> produce(Sink, Producer, 0, Each) end)
     || Producer <- lists:seq(1, ?PRODUCERS)].

drain(0, Sum, Expected) ->
    Sum = Expected,
    stage:finish();
drain(Missing, Sum, Expected) ->
    receive {item, _Producer, Number} -> drain(Missing - 1, Sum + Number, Expected) end.

produce(_Sink, _Producer, Items, Items) -> ok;
produce(Sink, Producer, Sent, Items) ->
    Next = send_items(Sink, Producer, Sent, min(Sent + stage:sends_per_turn(), Items)),
    self() ! produce,
    receive produce -> produce(Sink, Producer, Next, Items) end.

send_items(_Sink, _Producer, End, End) -> End;
send_items(Sink, Producer, Number, End) ->
    Sink ! {item, Producer, Number},
    send_items(Sink, Producer, Number + 1, End).
